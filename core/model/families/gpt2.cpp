// GPT-2 (Radford et al. 2019) as transformers' GPT2LMHeadModel stores it. Its Conv1D weights are [in, out], so every
// tensor is used as it lies in the file.
#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "model/families/common.hpp"
#include "model/families/families.hpp"

namespace diopter::model {
namespace {

using base::Json;

void declare_harmless(ConfigKeys& keys) {
  declare_general_keys(keys);
  keys.harmless({"attn_pdrop", "embd_pdrop", "resid_pdrop", "summary_activation", "summary_first_dropout",
                 "summary_proj_to_labels", "summary_type", "summary_use_proj", "n_special", "predict_special_tokens"});
}

ModelInfo read_config(ConfigKeys& keys) {
  ModelInfo info;
  info.family = "gpt2";
  info.n_layers = keys.size("n_layer", 12);
  info.n_heads = info.n_kv_heads = keys.size("n_head", 12);
  info.d_model = keys.size("n_embd", 768);
  if (info.d_model % info.n_heads != 0) keys.refuse("n_embd", fmt::format("a multiple of n_head = {}", info.n_heads));
  info.d_head = info.d_model / info.n_heads;
  info.d_mlp = keys.size("n_inner", 4 * info.d_model);
  info.n_ctx = keys.size("n_positions", 1024);
  if (keys.size("n_ctx", info.n_ctx) != info.n_ctx)
    keys.refuse("n_ctx", fmt::format("the value of n_positions, {},", info.n_ctx));
  info.d_vocab = keys.size("vocab_size", 50257);
  info.norm_eps = keys.positive("layer_norm_epsilon", 1e-5);
  info.activation = read_activation(keys, "activation_function", "gelu_new");
  info.attention_scale =
      keys.flag("scale_attn_weights", true) ? 1.0 / std::sqrt(static_cast<double>(info.d_head)) : 1.0;
  info.scale_by_inverse_layer = keys.flag("scale_attn_by_inverse_layer_idx", false);
  info.tied_embeddings = keys.flag("tie_word_embeddings", true);
  keys.must_be_false({"reorder_and_upcast_attn", "add_cross_attention", "is_encoder_decoder", "use_bfloat16"});
  declare_harmless(keys);
  keys.finish();
  return info;
}

Json write_config(const ModelInfo& info) {
  const double usual_scale = 1.0 / std::sqrt(static_cast<double>(info.d_head));
  std::vector<std::string> missing;
  if (info.attention_only) missing.emplace_back("attention-only blocks");
  if (info.positions != PositionKind::Learned) missing.emplace_back("other than learned positions");
  if (info.n_heads * info.d_head != info.d_model) missing.emplace_back("heads that do not divide d_model");
  if (info.attention_scale != usual_scale && info.attention_scale != 1.0)
    missing.emplace_back("an attention scale of its own");
  if (!missing.empty()) {
    throw base::UserError(
        base::Exit::Refused,
        fmt::format("expected a model that GPT-2's config.json can describe, got one with {}", base::join(missing)), {},
        "model.config");
  }
  return {{"architectures", {"GPT2LMHeadModel"}},
          {"model_type", "gpt2"},
          {"n_layer", info.n_layers},
          {"n_head", info.n_heads},
          {"n_embd", info.d_model},
          {"n_inner", info.d_mlp},
          {"n_positions", info.n_ctx},
          {"vocab_size", info.d_vocab},
          {"layer_norm_epsilon", info.norm_eps},
          {"activation_function", activation_name(info.activation)},
          {"scale_attn_weights", info.attention_scale == usual_scale},
          {"scale_attn_by_inverse_layer_idx", info.scale_by_inverse_layer},
          {"reorder_and_upcast_attn", false},
          {"tie_word_embeddings", info.tied_embeddings},
          {"attn_pdrop", 0.0},
          {"embd_pdrop", 0.0},
          {"resid_pdrop", 0.0}};
}

std::string stored_name(Slot slot) {
  const std::string block = fmt::format("h.{}.", slot.layer);
  switch (slot.part) {
    case Part::Embed: return "wte.weight";
    case Part::PosEmbed: return "wpe.weight";
    case Part::Ln1Gain: return block + "ln_1.weight";
    case Part::Ln1Bias: return block + "ln_1.bias";
    case Part::QkvWeight: return block + "attn.c_attn.weight";  // columns q | k | v, each head-major
    case Part::QkvBias: return block + "attn.c_attn.bias";
    case Part::OutWeight: return block + "attn.c_proj.weight";
    case Part::OutBias: return block + "attn.c_proj.bias";
    case Part::Ln2Gain: return block + "ln_2.weight";
    case Part::Ln2Bias: return block + "ln_2.bias";
    case Part::MlpInWeight: return block + "mlp.c_fc.weight";
    case Part::MlpInBias: return block + "mlp.c_fc.bias";
    case Part::MlpOutWeight: return block + "mlp.c_proj.weight";
    case Part::MlpOutBias: return block + "mlp.c_proj.bias";
    case Part::LnFinalGain: return "ln_f.weight";
    case Part::LnFinalBias: return "ln_f.bias";
    case Part::Unembed: return "lm_head.weight";
    default: break;
  }
  return {};
}

std::vector<StoredName> stored_names(const ModelInfo& info) {
  std::vector<StoredName> names;
  for (const Slot slot : slots(info)) names.push_back({stored_name(slot), slot, Stored::AsIs});
  return names;
}

}  // namespace

const Family& gpt2_family() {
  static const Family family{"gpt2",         read_config,      write_config, stored_names,
                             "transformer.", "lm_head.weight", "",           {"h.*.attn.bias", "h.*.attn.masked_bias"}};
  return family;
}

}  // namespace diopter::model
