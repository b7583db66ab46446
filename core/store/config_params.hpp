// The exploded copy of a run's configuration, one row per leaf, for searching.
#pragma once

#include <string>
#include <vector>

#include "base/canonical_json.hpp"
#include "store/rows.hpp"

namespace diopter::store {

inline constexpr std::size_t kTextRefBytes = 512;  // longer texts are stored once, in text_blob

struct ParamCell {
  std::string key;   // dotted path
  Value value;       // what the column `value` holds; the full text for text_ref
  std::string type;  // int float bool text text_ref json null
};

// Objects are walked into; arrays and empty objects are leaves of type json; integers above 2^63-1 are json too.
std::vector<ParamCell> explode(const base::Json& config);

}  // namespace diopter::store
