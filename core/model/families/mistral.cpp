// Mistral (Jiang et al. 2023) as transformers' MistralForCausalLM stores it: Llama with a sliding window.
#include "model/families/families.hpp"
#include "model/families/llama_like.hpp"

namespace diopter::model {
namespace {

ModelInfo read_mistral(ConfigKeys& keys) {
  ModelInfo info = read_llama_like(keys, "mistral", "hidden_act", "silu", false);
  const bool slides = keys.has("sliding_window");  // null: none
  read_windows(keys, info, 0, [&](Index) { return slides; });
  keys.finish();
  return info;
}

base::Json write_mistral(const ModelInfo& info) {
  base::Json out = llama_like_json(info, "MistralForCausalLM", "hidden_act");
  out["sliding_window"] = info.window(0) > 0 ? base::Json(info.window(0)) : base::Json();
  return out;
}

std::vector<StoredName> mistral_names(const ModelInfo& info) { return llama_like_names(info); }

}  // namespace

const Family& mistral_family() {
  static const Family family = llama_like_family("mistral", read_mistral, write_mistral, mistral_names);
  return family;
}

}  // namespace diopter::model
