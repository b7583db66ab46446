// Gemma 2 (Gemma Team 2024) as transformers' Gemma2ForCausalLM stores it: gains are 1 + what is stored, norms before
// and after each part, soft caps, every other layer with a sliding window.
#include <cmath>

#include "model/families/families.hpp"
#include "model/families/llama_like.hpp"

namespace diopter::model {
namespace {

ModelInfo read_gemma2(ConfigKeys& keys) {
  ModelInfo info = read_llama_like(keys, "gemma2", "hidden_activation", "gelu_pytorch_tanh", true);
  keys.harmless({"hidden_act"});  // Gemma 2 ignores it
  info.qkv_bias = info.out_bias = keys.flag("attention_bias", false);
  info.attention_scale = 1.0 / std::sqrt(keys.positive("query_pre_attn_scalar", 256));
  info.score_softcap = keys.positive("attn_logit_softcapping", 0);
  info.logit_softcap = keys.positive("final_logit_softcapping", 0);
  info.embed_scale = std::sqrt(static_cast<double>(info.d_model));
  info.post_norms = true;
  read_windows(keys, info, 4096, [](Index layer) { return layer % 2 == 0; });
  keys.must_be_false({"use_bidirectional_attention"});
  keys.finish();
  return info;
}

base::Json write_gemma2(const ModelInfo& info) {
  base::Json out = llama_like_json(info, "Gemma2ForCausalLM", "hidden_activation");
  const auto cap = [](double value) { return value > 0 ? base::Json(value) : base::Json(); };
  out["attention_bias"] = info.qkv_bias;
  out["query_pre_attn_scalar"] = 1 / (info.attention_scale * info.attention_scale);
  out["attn_logit_softcapping"] = cap(info.score_softcap);
  out["final_logit_softcapping"] = cap(info.logit_softcap);
  if (const Index window = largest_window(info); window > 0) out["sliding_window"] = window;
  out["layer_types"] = layer_types_json(info);
  return out;
}

std::vector<StoredName> gemma2_names(const ModelInfo& info) {
  return llama_like_names(info, {.before_mlp = "pre_feedforward_layernorm",
                                 .after_attention = "post_attention_layernorm",
                                 .after_mlp = "post_feedforward_layernorm",
                                 .gain = Stored::GainMinusOne});
}

}  // namespace

const Family& gemma2_family() {
  static const Family family = llama_like_family("gemma2", read_gemma2, write_gemma2, gemma2_names);
  return family;
}

}  // namespace diopter::model
