// Qwen 2 and 2.5 (Yang et al. 2024) as transformers' Qwen2ForCausalLM stores it: Llama with biases of q, k and v.
#include <algorithm>

#include "model/families/families.hpp"
#include "model/families/llama_like.hpp"

namespace diopter::model {
namespace {

ModelInfo read_qwen2(ConfigKeys& keys) {
  ModelInfo info = read_llama_like(keys, "qwen2", "hidden_act", "silu", false);
  info.qkv_bias = true;
  // Without layer_types the layers from max_window_layers on slide.
  const bool slides = keys.flag("use_sliding_window", false);
  const Index first = keys.size("max_window_layers", 28);
  read_windows(keys, info, slides ? 4096 : 0, [&](Index layer) { return slides && layer >= first; });
  info.bos = BosPolicy::None;
  keys.finish();
  return info;
}

base::Json write_qwen2(const ModelInfo& info) {
  base::Json out = llama_like_json(info, "Qwen2ForCausalLM", "hidden_act");
  Index window = 0;
  for (const Index one : info.windows) window = std::max(window, one);
  out["use_sliding_window"] = window > 0;
  out["sliding_window"] = window > 0 ? base::Json(window) : base::Json();
  out["layer_types"] = layer_types_json(info);
  return out;
}

std::vector<StoredName> qwen2_names(const ModelInfo& info) { return llama_like_names(info); }

}  // namespace

const Family& qwen2_family() {
  static const Family family = llama_like_family("qwen2", read_qwen2, write_qwen2, qwen2_names);
  return family;
}

}  // namespace diopter::model
