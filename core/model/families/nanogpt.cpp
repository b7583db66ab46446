// GPT-2 as Karpathy's nanoGPT and minGPT store it: GPT-2's names, but nn.Linear's [out, in] instead of Conv1D's.
//
// nanoGPT: sizes in the checkpoint's model_args, exact GELU, a tied head, with or without biases and LayerNorm biases.
// (Its versions before March 2023 had gelu_new; a config.json with "activation_function": "gelu_new" says so.)
// minGPT: gelu_new, a head of its own, always biases; it stores no sizes, so that a config.json names them.
#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "model/families/common.hpp"
#include "model/families/families.hpp"

namespace diopter::model {
namespace {

struct NanoKind {
  const char* model_type;
  const char* activation;
  bool tied;
};
constexpr NanoKind kNano{"nanogpt", "gelu", true}, kMin{"mingpt", "gelu_new", false};

ModelInfo read_nano(ConfigKeys& keys, const NanoKind& kind) {
  declare_general_keys(keys);
  keys.harmless({"dropout", "embd_pdrop", "resid_pdrop", "attn_pdrop"});
  ModelInfo info;
  info.family = kind.model_type;
  info.n_layers = keys.size("n_layer");
  info.n_heads = info.n_kv_heads = keys.size("n_head");
  info.d_model = keys.size("n_embd");
  if (info.d_model % info.n_heads != 0) keys.refuse("n_embd", fmt::format("a multiple of n_head = {}", info.n_heads));
  info.d_head = info.d_model / info.n_heads;
  info.d_mlp = 4 * info.d_model;
  info.n_ctx = keys.size("block_size");
  info.d_vocab = keys.size("vocab_size");
  info.activation = read_activation(keys, "activation_function", kind.activation);
  info.attention_scale = 1.0 / std::sqrt(static_cast<double>(info.d_head));
  info.tied_embeddings = keys.flag("tie_word_embeddings", kind.tied);
  info.norm_bias = info.qkv_bias = info.out_bias = info.mlp_bias = keys.flag("bias", true);
  keys.finish();
  return info;
}

ModelInfo read_nanogpt(ConfigKeys& keys) { return read_nano(keys, kNano); }
ModelInfo read_mingpt(ConfigKeys& keys) { return read_nano(keys, kMin); }

base::Json write_nano(const ModelInfo& info) {
  return {{"model_type", info.family},
          {"n_layer", info.n_layers},
          {"n_head", info.n_heads},
          {"n_embd", info.d_model},
          {"block_size", info.n_ctx},
          {"vocab_size", info.d_vocab},
          {"bias", info.mlp_bias},
          {"activation_function", activation_name(info.activation)},
          {"tie_word_embeddings", info.tied_embeddings},
          {"dropout", 0.0}};
}

StoredName nano_stored(Slot slot) {
  const std::string block = fmt::format("h.{}.", slot.layer);
  switch (slot.part) {
    case Part::Embed: return {"wte.weight", slot};
    case Part::PosEmbed: return {"wpe.weight", slot};
    case Part::Ln1Gain: return {block + "ln_1.weight", slot};
    case Part::Ln1Bias: return {block + "ln_1.bias", slot};
    case Part::QkvWeight: return {block + "attn.c_attn.weight", slot, Stored::Transposed};  // columns q | k | v
    case Part::QkvBias: return {block + "attn.c_attn.bias", slot};
    case Part::OutWeight: return {block + "attn.c_proj.weight", slot, Stored::Transposed};
    case Part::OutBias: return {block + "attn.c_proj.bias", slot};
    case Part::Ln2Gain: return {block + "ln_2.weight", slot};
    case Part::Ln2Bias: return {block + "ln_2.bias", slot};
    case Part::MlpInWeight: return {block + "mlp.c_fc.weight", slot, Stored::Transposed};
    case Part::MlpInBias: return {block + "mlp.c_fc.bias", slot};
    case Part::MlpOutWeight: return {block + "mlp.c_proj.weight", slot, Stored::Transposed};
    case Part::MlpOutBias: return {block + "mlp.c_proj.bias", slot};
    case Part::LnFinalGain: return {"ln_f.weight", slot};
    case Part::LnFinalBias: return {"ln_f.bias", slot};
    case Part::Unembed: return {"lm_head.weight", slot};
    default: return {{}, slot};
  }
}

std::vector<StoredName> nano_names(const ModelInfo& info) {
  std::vector<StoredName> names;
  for (const Slot slot : slots(info)) names.push_back(nano_stored(slot));
  return names;
}

Family nano_family(const NanoKind& kind, ModelInfo (*read)(ConfigKeys&)) {
  return {kind.model_type, read, write_nano, nano_names, "transformer.", "lm_head.weight", "", {"h.*.attn.bias"}};
}

}  // namespace

const Family& nanogpt_family() {
  static const Family family = nano_family(kNano, read_nanogpt);
  return family;
}

const Family& mingpt_family() {
  static const Family family = nano_family(kMin, read_mingpt);
  return family;
}

}  // namespace diopter::model
