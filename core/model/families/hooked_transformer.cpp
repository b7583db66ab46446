// TransformerLens' HookedTransformer (2.x): the names of its state dict. Its weights have a head axis of their own: W_Q
// [head, d_model, d_head], W_O [head, d_head, d_model].
#include <fmt/format.h>

#include "model/families/families.hpp"
#include "model/families/hooked_transformer_config.hpp"

namespace diopter::model {
namespace {

bool grouped(const ModelInfo& info) { return info.n_kv_heads != info.n_heads; }

// The names of k and v begin with '_' where n_key_value_heads is given, and that may be the number of all heads.
std::string lens_rename(const std::string& name, const ModelInfo& info) {
  const std::size_t at = name.find(".attn._");
  return grouped(info) || at == std::string::npos ? name : name.substr(0, at + 6) + name.substr(at + 7);
}

StoredName lens_stored(Slot slot, const ModelInfo& info) {
  const std::string block = fmt::format("blocks.{}.", slot.layer), attention = block + "attn.", mlp = block + "mlp.";
  const char* of_kv = grouped(info) ? "_" : "";
  const Stored gain = info.norm_gain ? Stored::AsIs : Stored::AbsentOnes;
  switch (slot.part) {
    case Part::Embed: return {"embed.W_E", slot};
    case Part::PosEmbed: return {"pos_embed.W_pos", slot};
    case Part::Ln1Gain: return {block + "ln1.w", slot, gain};
    case Part::Ln1Bias: return {block + "ln1.b", slot};
    case Part::QWeight: return {attention + "W_Q", slot, Stored::ByHead};
    case Part::KWeight: return {attention + of_kv + "W_K", slot, Stored::ByHead};
    case Part::VWeight: return {attention + of_kv + "W_V", slot, Stored::ByHead};
    case Part::QBias: return {attention + "b_Q", slot, Stored::HeadsApart};
    case Part::KBias: return {attention + of_kv + "b_K", slot, Stored::HeadsApart};
    case Part::VBias: return {attention + of_kv + "b_V", slot, Stored::HeadsApart};
    case Part::QNormGain: return {attention + "q_norm.w", slot};
    case Part::KNormGain: return {attention + "k_norm.w", slot};
    case Part::OutWeight: return {attention + "W_O", slot, Stored::HeadsApart};
    case Part::OutBias: return {attention + "b_O", slot};
    case Part::Ln1PostGain: return {block + "ln1_post.w", slot};
    case Part::Ln2Gain: return {block + "ln2.w", slot, gain};
    case Part::Ln2Bias: return {block + "ln2.b", slot};
    case Part::MlpGateWeight: return {mlp + "W_gate", slot};
    case Part::MlpGateBias: return {{}, slot, Stored::AbsentZeros};
    case Part::MlpInWeight: return {mlp + "W_in", slot};
    // Of a gated MLP TransformerLens adds it behind the product, where diopter has no bias.
    case Part::MlpInBias: return {mlp + "b_in", slot, info.gated_mlp ? Stored::Zero : Stored::AsIs};
    case Part::MlpOutWeight: return {mlp + "W_out", slot};
    case Part::MlpOutBias: return {mlp + "b_out", slot};
    case Part::Ln2PostGain: return {block + "ln2_post.w", slot};
    case Part::LnFinalGain: return {"ln_final.w", slot, gain};
    case Part::LnFinalBias: return {"ln_final.b", slot};
    case Part::Unembed: return {"unembed.W_U", slot, Stored::Transposed};
    case Part::UnembedBias: return {"unembed.b_U", slot};
    default: return {{}, slot};
  }
}

std::vector<StoredName> lens_names(const ModelInfo& info) {
  std::vector<StoredName> names;
  for (const Slot slot : slots(info)) names.push_back(lens_stored(slot, info));
  return names;
}

}  // namespace

const Family& hooked_transformer_family() {
  static const Family family{
      "hooked_transformer",
      read_hooked_transformer,
      write_hooked_transformer,
      lens_names,
      "",
      "unembed.W_U",
      "",
      {"blocks.*.attn.mask", "blocks.*.attn.IGNORE", "blocks.*.attn.rotary_sin", "blocks.*.attn.rotary_cos"},
      lens_rename};
  return family;
}

}  // namespace diopter::model
