// Texts generated from kinds' tables: a [[run]] to start from, and the JSON Schema that editors use.
#pragma once

#include <string>
#include <vector>

#include "base/canonical_json.hpp"
#include "diopter/abi.h"

namespace diopter::study {

// A commented [[run]] for `plugin show --toml`: every parameter with its doc, default or example. Reads back without
// problems.
std::string run_toml(const diopter_kind& kind);
// A whole manifest around it, for `plugin new`.
std::string manifest_toml(const diopter_kind& kind);
// JSON Schema (draft 2020-12) of manifests with these kinds.
base::Json manifest_schema(const std::vector<const diopter_kind*>& kinds);

}  // namespace diopter::study
