// GPT-NeoX and Pythia (Black et al. 2022, Biderman et al. 2023) as transformers' GPTNeoXForCausalLM stores it:
// attention and MLP side by side on the same stream, q, k and v of each head together, a part of each head rotary.
#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "model/families/common.hpp"
#include "model/families/families.hpp"

namespace diopter::model {
namespace {

// Files of transformers 4.5x have rope_theta and partial_rotary_factor beside the older names, or alone.
void read_neox_rope(ConfigKeys& keys, ModelInfo& info) {
  const auto name = [&](const char* older, const char* newer) {
    return !keys.has(older) && keys.has(newer) ? newer : older;
  };
  const RopeKeys names{.theta = name("rotary_emb_base", "rope_theta"),
                       .share = name("rotary_pct", "partial_rotary_factor"),
                       .usual_share = 0.25};
  const auto must_agree = [&](const char* older, const char* newer, double usual) {
    const double value = keys.positive(older, usual);
    if (keys.has(older) && keys.positive(newer, value) != value)
      keys.refuse(newer, fmt::format("the value of {}, {},", older, value));
  };
  must_agree("rotary_emb_base", "rope_theta", names.usual_theta);
  must_agree("rotary_pct", "partial_rotary_factor", names.usual_share);
  read_rope(keys, info, names);
}

ModelInfo read_gpt_neox(ConfigKeys& keys) {
  declare_general_keys(keys);
  keys.harmless({"attention_dropout", "hidden_dropout", "classifier_dropout"});
  ModelInfo info;
  info.family = "gpt_neox";
  info.n_layers = keys.size("num_hidden_layers");
  info.n_heads = info.n_kv_heads = keys.size("num_attention_heads");
  info.d_model = keys.size("hidden_size");
  if (info.d_model % info.n_heads != 0)
    keys.refuse("hidden_size", fmt::format("a multiple of num_attention_heads = {}", info.n_heads));
  info.d_head = info.d_model / info.n_heads;
  info.d_mlp = keys.size("intermediate_size");
  info.n_ctx = keys.size("max_position_embeddings");
  info.d_vocab = keys.size("vocab_size");
  info.norm_eps = keys.positive("layer_norm_eps", 1e-5);
  info.activation = read_activation(keys, "hidden_act", "gelu");
  info.attention_scale = 1.0 / std::sqrt(static_cast<double>(info.d_head));
  info.parallel_block = keys.flag("use_parallel_residual", true);
  info.tied_embeddings = keys.flag("tie_word_embeddings", false);
  info.qkv_bias = info.out_bias = keys.flag("attention_bias", true);
  info.qkv = QkvLayout::ByHead;
  keys.must_be_false({"is_encoder_decoder", "add_cross_attention", "use_bfloat16"});
  read_neox_rope(keys, info);
  keys.finish();
  return info;
}

base::Json write_gpt_neox(const ModelInfo& info) {
  base::Json rope = rope_json(info);
  rope["partial_rotary_factor"] = static_cast<double>(info.rotary_dims) / static_cast<double>(info.d_head);
  return {{"architectures", {"GPTNeoXForCausalLM"}},
          {"model_type", "gpt_neox"},
          {"num_hidden_layers", info.n_layers},
          {"num_attention_heads", info.n_heads},
          {"hidden_size", info.d_model},
          {"intermediate_size", info.d_mlp},
          {"max_position_embeddings", info.n_ctx},
          {"vocab_size", info.d_vocab},
          {"layer_norm_eps", info.norm_eps},
          {"hidden_act", activation_name(info.activation)},
          {"use_parallel_residual", info.parallel_block},
          {"tie_word_embeddings", info.tied_embeddings},
          {"attention_bias", info.qkv_bias},
          {"rope_parameters", rope}};
}

StoredName gpt_neox_stored(Slot slot) {
  const std::string block = fmt::format("layers.{}.", slot.layer);
  switch (slot.part) {
    case Part::Embed: return {"embed_in.weight", slot, Stored::AsIs};
    case Part::Ln1Gain: return {block + "input_layernorm.weight", slot, Stored::AsIs};
    case Part::Ln1Bias: return {block + "input_layernorm.bias", slot, Stored::AsIs};
    case Part::QkvWeight: return {block + "attention.query_key_value.weight", slot, Stored::Transposed};
    case Part::QkvBias: return {block + "attention.query_key_value.bias", slot, Stored::AsIs};
    case Part::OutWeight: return {block + "attention.dense.weight", slot, Stored::Transposed};
    case Part::OutBias: return {block + "attention.dense.bias", slot, Stored::AsIs};
    case Part::Ln2Gain: return {block + "post_attention_layernorm.weight", slot, Stored::AsIs};
    case Part::Ln2Bias: return {block + "post_attention_layernorm.bias", slot, Stored::AsIs};
    case Part::MlpInWeight: return {block + "mlp.dense_h_to_4h.weight", slot, Stored::Transposed};
    case Part::MlpInBias: return {block + "mlp.dense_h_to_4h.bias", slot, Stored::AsIs};
    case Part::MlpOutWeight: return {block + "mlp.dense_4h_to_h.weight", slot, Stored::Transposed};
    case Part::MlpOutBias: return {block + "mlp.dense_4h_to_h.bias", slot, Stored::AsIs};
    case Part::LnFinalGain: return {"final_layer_norm.weight", slot, Stored::AsIs};
    case Part::LnFinalBias: return {"final_layer_norm.bias", slot, Stored::AsIs};
    case Part::Unembed: return {"embed_out.weight", slot, Stored::AsIs};
    default: return {{}, slot, Stored::AsIs};
  }
}

std::vector<StoredName> gpt_neox_names(const ModelInfo& info) {
  std::vector<StoredName> names;
  for (const Slot slot : slots(info)) names.push_back(gpt_neox_stored(slot));
  return names;
}

}  // namespace

const Family& gpt_neox_family() {
  static const Family family{
      "gpt_neox",
      read_gpt_neox,
      write_gpt_neox,
      gpt_neox_names,
      "gpt_neox.",
      "embed_out.weight",
      "lm_head.weight",  // transformers 5 in memory
      {"layers.*.attention.bias", "layers.*.attention.masked_bias", "layers.*.attention.rotary_emb.inv_freq"}};
  return family;
}

}  // namespace diopter::model
