#include "model/transforms.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/hints.hpp"

namespace diopter::model {
namespace {

constexpr const char* kFoldLn = "fold_ln";
constexpr const char* kCenterWriting = "center_writing_weights";
constexpr const char* kCenterUnembed = "center_unembed";
constexpr const char* kFoldValueBiases = "fold_value_biases";

bool among(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

[[noreturn]] void refuse(const std::string& what) {
  throw base::UserError(base::Exit::Refused, what, "remove it from model.transforms", "model.transforms");
}

// Columns that read a normed stream, and the bias that is added to what they read.
struct Reader {
  Part weight, bias;
};

std::vector<Reader> readers(const ModelInfo& info, Part gain) {
  if (gain == Part::Ln1Gain && info.qkv == QkvLayout::Separate)
    return {{Part::QWeight, Part::QBias}, {Part::KWeight, Part::KBias}, {Part::VWeight, Part::VBias}};
  if (gain == Part::Ln1Gain) return {{Part::QkvWeight, Part::QkvBias}};
  if (info.gated_mlp) return {{Part::MlpGateWeight, Part::MlpGateBias}, {Part::MlpInWeight, Part::MlpInBias}};
  return {{Part::MlpInWeight, Part::MlpInBias}};
}

// The parameters of a configuration that has room for what the transforms add: zero biases, an unembedding of its own.
Parameters with_room(const Parameters& from, const std::vector<std::string>& names) {
  ModelInfo info = from.info();
  const bool norm_has_bias = info.norm == NormKind::LayerNorm && info.norm_bias;
  if (among(names, kFoldLn)) {
    info.tied_embeddings = false;
    if (norm_has_bias) info.qkv_bias = info.mlp_bias = info.unembed_bias = true;
  }
  if (among(names, kCenterUnembed)) info.tied_embeddings = false;
  if (among(names, kFoldValueBiases) && info.qkv_bias) info.out_bias = true;
  const at::Tensor& like = from.get(Part::Embed);
  const at::ScalarType wide = like.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  Parameters to(info);
  for (const Slot slot : slots(info)) {
    const at::Tensor& given = from.get(slot.part, slot.layer);
    to.set(slot, given.defined() ? given.to(wide) : at::zeros(slot_shape(info, slot.part), like.options().dtype(wide)));
  }
  return to;
}

// What `p` holds at a place is replaced, never written into: it may be mapped or shared.
void fold_norm(Parameters& p, Part gain, Part bias, Index layer) {
  const bool centred = p.info().norm == NormKind::LayerNorm;
  const at::Tensor w = p.get(gain, layer), c = centred ? p.get(bias, layer) : at::Tensor();
  for (const Reader& reader : readers(p.info(), gain)) {
    at::Tensor weight = p.get(reader.weight, layer);  // [D, columns]
    if (c.defined()) p.set({reader.bias, layer}, p.get(reader.bias, layer) + at::matmul(c, weight));
    weight = weight * w.unsqueeze(1);
    p.set({reader.weight, layer}, centred ? weight - weight.mean(0, true) : weight);
  }
  p.set({gain, layer}, at::ones_like(w));
  if (c.defined()) p.set({bias, layer}, at::zeros_like(c));
}

void fold_final_norm(Parameters& p) {
  const bool centred = p.info().norm == NormKind::LayerNorm;
  const at::Tensor w = p.get(Part::LnFinalGain), c = centred ? p.get(Part::LnFinalBias) : at::Tensor();
  at::Tensor unembed = p.get(Part::Unembed);  // [V, D]
  if (c.defined()) {
    p.set({Part::UnembedBias, -1}, p.get(Part::UnembedBias) + at::mv(unembed, c));
    p.set({Part::LnFinalBias, -1}, at::zeros_like(c));
  }
  unembed = unembed * w;
  p.set({Part::Unembed, -1}, centred ? unembed - unembed.mean(1, true) : unembed);
  p.set({Part::LnFinalGain, -1}, at::ones_like(w));
}

void fold_ln(Parameters& p) {
  for (Index layer = 0; layer < p.info().n_layers; ++layer) {
    fold_norm(p, Part::Ln1Gain, Part::Ln1Bias, layer);
    if (!p.info().attention_only) fold_norm(p, Part::Ln2Gain, Part::Ln2Bias, layer);
  }
  fold_final_norm(p);
}

void center_writing(Parameters& p) {
  static constexpr Part kWriters[] = {Part::Embed,   Part::PosEmbed,     Part::OutWeight,
                                      Part::OutBias, Part::MlpOutWeight, Part::MlpOutBias};
  for (const Slot slot : slots(p.info())) {
    if (std::find(std::begin(kWriters), std::end(kWriters), slot.part) == std::end(kWriters)) continue;
    const at::Tensor value = p.get(slot.part, slot.layer);  // [..., D]
    p.set(slot, value - value.mean(-1, true));
  }
}

void center_unembed(Parameters& p) {
  const at::Tensor unembed = p.get(Part::Unembed);
  p.set({Part::Unembed, -1}, unembed - unembed.mean(0, true));
  if (const at::Tensor bias = p.get(Part::UnembedBias); bias.defined())
    p.set({Part::UnembedBias, -1}, bias - bias.mean());
}

void fold_value_biases(Parameters& p) {
  const ModelInfo& info = p.info();
  if (!info.qkv_bias) return;
  const Part holder = info.qkv == QkvLayout::Separate ? Part::VBias : Part::QkvBias;
  for (Index layer = 0; layer < info.n_layers; ++layer) {
    const at::Tensor per_query_head =
        p.canonical("b_V", layer).repeat_interleave(info.n_heads / info.n_kv_heads, 0);  // [H, e]
    const at::Tensor added = at::matmul(per_query_head.reshape({-1}), p.get(Part::OutWeight, layer));
    p.set({Part::OutBias, layer}, p.get(Part::OutBias, layer) + added);
    p.set({holder, layer}, p.get(holder, layer).clone());
    p.canonical("b_V", layer).zero_();  // a view of the clone
  }
}

}  // namespace

void check_transforms(const ModelInfo& info, const std::vector<std::string>& names) {
  const std::vector<std::string> known{kFoldLn, kCenterWriting, kCenterUnembed, kFoldValueBiases};
  for (const std::string& name : names) {
    if (!among(known, name.c_str()))
      refuse(fmt::format("expected a weight transform, got '{}'{}", name, base::did_you_mean(name, known)));
  }
  if (among(names, kFoldLn) && info.norm == NormKind::None)
    refuse(fmt::format("{} needs norms, and {} has none", kFoldLn, info.name));
  if (among(names, kCenterWriting) && info.norm != NormKind::LayerNorm) {
    refuse(fmt::format("{} would change what {} computes: only LayerNorm ignores the mean of the stream",
                       kCenterWriting, info.name));
  }
  if (among(names, kCenterUnembed) && info.logit_softcap > 0) {
    refuse(fmt::format("{} would change what {} computes: its logits pass a soft cap", kCenterUnembed, info.name));
  }
  if (among(names, kCenterWriting) && info.tied_embeddings && !among(names, kFoldLn) && !among(names, kCenterUnembed)) {
    refuse(fmt::format("{} would change W_U of {} too, which is the embedding; name fold_ln as well", kCenterWriting,
                       info.name));
  }
  if (among(names, kCenterWriting) && info.post_norms)
    refuse(fmt::format("{} would change what {} computes: norms follow what it centres", kCenterWriting, info.name));
}

Parameters transformed(const Parameters& parameters, const std::vector<std::string>& names) {
  check_transforms(parameters.info(), names);
  if (names.empty()) return parameters;
  Parameters p = with_room(parameters, names);
  if (among(names, kFoldLn)) fold_ln(p);
  if (among(names, kCenterWriting)) center_writing(p);
  if (among(names, kCenterUnembed)) center_unembed(p);
  if (among(names, kFoldValueBiases)) fold_value_biases(p);
  const at::ScalarType dtype = parameters.get(Part::Embed).scalar_type();
  return p.transformed([&](Slot slot, const at::Tensor& value) {
    return is_gain(slot.part) ? value : value.to(dtype);  // gains may stay in float32
  });
}

}  // namespace diopter::model
