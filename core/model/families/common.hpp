// What the config.json of several families have in common.
#pragma once

#include <diopter/model_info.hpp>

#include "base/canonical_json.hpp"
#include "model/config_keys.hpp"

namespace diopter::model {

// Keys of transformers' PretrainedConfig that leave the forward in evaluation alone.
void declare_general_keys(ConfigKeys& keys);

Activation read_activation(ConfigKeys& keys, const char* key, const char* fallback);
const char* activation_name(Activation activation);  // as config.json has it

// Sets rotary_dims (`share` of d_head when no key says) and rope from rope_parameters (transformers 5) or rope_theta
// and rope_scaling (4), which must agree when both are there. `theta_key`, `share_key`: the family's own names.
struct RopeKeys {
  const char* theta = "rope_theta";
  const char* share = "partial_rotary_factor";
  double usual_theta = 10000, usual_share = 1;
};
void read_rope(ConfigKeys& keys, ModelInfo& info, const RopeKeys& names);
base::Json rope_json(const ModelInfo& info);  // "rope_parameters"

}  // namespace diopter::model
