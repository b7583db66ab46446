// Qwen 3 (Yang et al. 2025) as transformers' Qwen3ForCausalLM stores it: Llama with a norm of each head's q and k.
#include <algorithm>

#include "model/families/families.hpp"
#include "model/families/llama_like.hpp"

namespace diopter::model {
namespace {

ModelInfo read_qwen3(ConfigKeys& keys) {
  ModelInfo info = read_llama_like(keys, "qwen3", "hidden_act", "silu", false);
  info.query_key_norm = true;
  info.qkv_bias = info.out_bias = keys.flag("attention_bias", false);
  // Without layer_types the layers from max_window_layers on slide.
  const bool slides = keys.flag("use_sliding_window", false);
  const Index first = keys.size("max_window_layers", 28);
  read_windows(keys, info, slides ? 4096 : 0, [&](Index layer) { return slides && layer >= first; });
  info.bos = BosPolicy::None;
  keys.finish();
  return info;
}

base::Json write_qwen3(const ModelInfo& info) {
  base::Json out = llama_like_json(info, "Qwen3ForCausalLM", "hidden_act");
  Index window = 0;
  for (const Index one : info.windows) window = std::max(window, one);
  out["use_sliding_window"] = window > 0;
  out["sliding_window"] = window > 0 ? base::Json(window) : base::Json();
  out["layer_types"] = layer_types_json(info);
  out["attention_bias"] = info.qkv_bias;
  return out;
}

std::vector<StoredName> qwen3_names(const ModelInfo& info) { return llama_like_names(info); }

}  // namespace

const Family& qwen3_family() {
  static const Family family = llama_like_family("qwen3", read_qwen3, write_qwen3, qwen3_names);
  return family;
}

}  // namespace diopter::model
