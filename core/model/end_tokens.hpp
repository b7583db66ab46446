// Which tokens end a text, by the files beside the weights.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include <diopter/base.hpp>

namespace diopter::model {

// `eos_token_id` (one id or several) of generation_config.json, else of config.json; nothing when neither names one.
// UserError(Refused) for a file that cannot be read or an id that is none.
std::optional<std::vector<Index>> end_token_ids(const std::filesystem::path& folder);

}  // namespace diopter::model
