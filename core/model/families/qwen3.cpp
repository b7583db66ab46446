// Qwen 3 (Yang et al. 2025) as transformers' Qwen3ForCausalLM stores it: Llama with a norm of each head's q and k.
#include "model/families/families.hpp"
#include "model/families/llama_like.hpp"

namespace diopter::model {
namespace {

ModelInfo read_qwen3(ConfigKeys& keys) {
  ModelInfo info = read_llama_like(keys, "qwen3", "hidden_act", "silu", false);
  info.query_key_norm = true;
  info.qkv_bias = info.out_bias = keys.flag("attention_bias", false);
  read_optional_windows(keys, info);
  info.bos = BosPolicy::None;
  keys.finish();
  return info;
}

base::Json write_qwen3(const ModelInfo& info) {
  base::Json out = llama_like_json(info, "Qwen3ForCausalLM", "hidden_act");
  add_optional_windows(info, out);
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
