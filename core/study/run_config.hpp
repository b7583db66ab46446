// A run's resolved configuration as JSON: what the store keeps as `config`, and what dotted keys look into.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/study.hpp"

namespace diopter::study {

// Flat: each parameter under its name, "model" {source dtype device compute bos transforms}, "prompts", "seed", "edit"
// (a list).
base::Json run_config(const Run& run);

// "model.source" in a config; keys that contain dots are found too. nullptr: not there.
const base::Json* find_dotted(const base::Json& config, std::string_view key);
std::vector<std::string> dotted_keys(const base::Json& config);

}  // namespace diopter::study
