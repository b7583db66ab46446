// The configuration of a model -> the canonical one, through its family.
#pragma once

#include <filesystem>
#include <string>

#include <diopter/model_info.hpp>

#include "base/canonical_json.hpp"

namespace diopter::model {

// `path`: as find_config (config_source.hpp) takes it. UserError(Refused) for a missing or malformed file, a family
// diopter does not have, a key it cannot honour and an unknown key that may change numbers; the key is in the message.
// ModelInfo::name is left to the caller.
ModelInfo read_config(const std::filesystem::path& path);

// The same from parsed JSON; `where` goes into messages.
ModelInfo parse_config(const base::Json& config, const std::string& where);

// A config.json that read_config and transformers read back as `info`. Throws when its family cannot express it.
base::Json config_json(const ModelInfo& info);

// What the forward implements: UserError(Refused) naming what is missing, for an info that did not come from
// read_config.
void check_supported(const ModelInfo& info);

}  // namespace diopter::model
