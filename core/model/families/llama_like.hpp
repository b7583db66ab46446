// Llama's layout of config keys and weight names, which Mistral, Qwen and Gemma share.
#pragma once

#include <functional>

#include "model/families/common.hpp"
#include "model/family.hpp"

namespace diopter::model {

// Sizes, norm, rotary positions, gated MLP with `activation_key`; no biases, separate q, k and v.
ModelInfo read_llama_like(ConfigKeys& keys, const char* model_type, const char* activation_key,
                          const char* usual_activation, bool usually_tied);
// The same as config.json; the family adds its own.
base::Json llama_like_json(const ModelInfo& info, const char* architecture, const char* activation_key);

// sliding_window for the layers that layer_types calls "sliding_attention"; without that list for those that `slides`
// says.
void read_windows(ConfigKeys& keys, ModelInfo& info, Index usual_window, const std::function<bool(Index)>& slides);
base::Json layer_types_json(const ModelInfo& info);
Index largest_window(const ModelInfo& info);  // 0: none

// Qwen's: windows only under use_sliding_window, without layer_types in the layers from max_window_layers on.
void read_optional_windows(ConfigKeys& keys, ModelInfo& info);
void add_optional_windows(const ModelInfo& info, base::Json& config);

struct LlamaNorms {
  const char* before_mlp = "post_attention_layernorm";  // ln2
  const char* after_attention = "";                     // ln1_post
  const char* after_mlp = "";                           // ln2_post
  Stored gain = Stored::AsIs;
};
std::vector<StoredName> llama_like_names(const ModelInfo& info, const LlamaNorms& norms = {});
Family llama_like_family(const char* model_type, ModelInfo (*read)(ConfigKeys&), base::Json (*write)(const ModelInfo&),
                         std::vector<StoredName> (*names)(const ModelInfo&));

}  // namespace diopter::model
