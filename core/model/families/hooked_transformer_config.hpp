// The keys of TransformerLens' HookedTransformerConfig (2.x), and of the config.json of models that its author trained
// in that layout and published ("normalization", "shortformer_pos", keys of the training run).
#pragma once

#include <diopter/model_info.hpp>

#include "base/canonical_json.hpp"
#include "model/config_keys.hpp"

namespace diopter::model {

ModelInfo read_hooked_transformer(ConfigKeys& keys);
base::Json write_hooked_transformer(const ModelInfo& info);

}  // namespace diopter::model
