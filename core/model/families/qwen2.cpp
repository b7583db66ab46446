// Qwen 2 and 2.5 (Yang et al. 2024) as transformers' Qwen2ForCausalLM stores it: Llama with biases of q, k and v.
#include "model/families/families.hpp"
#include "model/families/llama_like.hpp"

namespace diopter::model {
namespace {

ModelInfo read_qwen2(ConfigKeys& keys) {
  ModelInfo info = read_llama_like(keys, "qwen2", "hidden_act", "silu", false);
  info.qkv_bias = true;
  read_optional_windows(keys, info);
  info.bos = BosPolicy::None;
  keys.finish();
  return info;
}

base::Json write_qwen2(const ModelInfo& info) {
  base::Json out = llama_like_json(info, "Qwen2ForCausalLM", "hidden_act");
  add_optional_windows(info, out);
  return out;
}

std::vector<StoredName> qwen2_names(const ModelInfo& info) { return llama_like_names(info); }

}  // namespace

const Family& qwen2_family() {
  static const Family family = llama_like_family("qwen2", read_qwen2, write_qwen2, qwen2_names);
  return family;
}

}  // namespace diopter::model
