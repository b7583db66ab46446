// What of a run's prompts is stored with it: token ids of both texts, answers and foils, so that every number can be
// derived again.
#pragma once

#include <diopter_host/specs.hpp>

#include <string>
#include <vector>

#include "base/canonical_json.hpp"

namespace diopter::exec {

struct IdTable {
  std::string name;        // "prompts.clean_ids"
  std::vector<Index> ids;  // [prompt, second], -1 pads on the right
  std::vector<std::int64_t> shape;
  std::string second;  // "pos", or "choice" for answers and foils of one token
};

std::vector<IdTable> id_tables(const PromptsData& data);

}  // namespace diopter::exec
