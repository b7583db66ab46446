// Llama 1 to 3.x (Touvron et al. 2023) as transformers' LlamaForCausalLM stores it.
#include "model/families/families.hpp"
#include "model/families/llama_like.hpp"

namespace diopter::model {
namespace {

ModelInfo read_llama(ConfigKeys& keys) {
  ModelInfo info = read_llama_like(keys, "llama", "hidden_act", "silu", false);
  info.qkv_bias = info.out_bias = keys.flag("attention_bias", false);
  info.mlp_bias = keys.flag("mlp_bias", false);
  keys.finish();
  return info;
}

base::Json write_llama(const ModelInfo& info) {
  base::Json out = llama_like_json(info, "LlamaForCausalLM", "hidden_act");
  out["attention_bias"] = info.qkv_bias;
  out["mlp_bias"] = info.mlp_bias;
  return out;
}

std::vector<StoredName> llama_names(const ModelInfo& info) { return llama_like_names(info); }

}  // namespace

const Family& llama_family() {
  static const Family family = llama_like_family("llama", read_llama, write_llama, llama_names);
  return family;
}

}  // namespace diopter::model
