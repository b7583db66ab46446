// The name of a model on the Hugging Face hub: "gpt2", "EleutherAI/pythia-70m", either with "@revision".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace diopter::hub {

struct HubId {
  std::string repo;      // "gpt2", "EleutherAI/pythia-70m"
  std::string revision;  // a branch, a tag, "refs/pr/1" or a commit; "main" when none was written
};

// The hub's own rules (huggingface_hub's validate_repo_id): one or two words of 1 to 96 ASCII letters, digits, '-', '_'
// and '.', which neither begin nor end with '-' or '.', without "--" and "..", not ending in ".git". A revision follows
// git's rules for names of references. What could be a path is therefore never an id.
// UserError(Usage) with the rule that was broken.
HubId parse_hub_id(std::string_view text);
std::optional<HubId> as_hub_id(std::string_view text);  // nothing instead of the error

bool is_commit(std::string_view revision);  // 40 lower-case hex digits: never means another content

}  // namespace diopter::hub
