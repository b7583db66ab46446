#include "model/parameters.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/hints.hpp"

namespace diopter::model {
namespace {

std::size_t index(Part part) { return static_cast<std::size_t>(part); }

constexpr std::array<const char*, static_cast<std::size_t>(Part::Count)> kPartNames{
    "embed",        "pos_embed",       "ln1_gain",      "ln1_bias",      "qkv_weight",    "qkv_bias",
    "q_weight",     "k_weight",        "v_weight",      "q_bias",        "k_bias",        "v_bias",
    "q_norm_gain",  "k_norm_gain",     "out_weight",    "out_bias",      "ln1_post_gain", "ln2_gain",
    "ln2_bias",     "mlp_gate_weight", "mlp_gate_bias", "mlp_in_weight", "mlp_in_bias",   "mlp_out_weight",
    "mlp_out_bias", "ln2_post_gain",   "ln_final_gain", "ln_final_bias", "unembed",       "unembed_bias"};

bool has_part(const ModelInfo& info, Part part) {
  const bool separate = info.qkv == QkvLayout::Separate, mlp = !info.attention_only;
  const bool norm = info.norm != NormKind::None;
  const bool norm_bias = info.norm == NormKind::LayerNorm && info.norm_bias;
  switch (part) {
    case Part::PosEmbed: return info.positions == PositionKind::Learned;
    case Part::Unembed: return !info.tied_embeddings;
    case Part::UnembedBias: return info.unembed_bias;
    case Part::Ln1Bias:
    case Part::LnFinalBias: return norm_bias;
    case Part::QkvWeight: return !separate;
    case Part::QkvBias: return !separate && info.qkv_bias;
    case Part::QWeight:
    case Part::KWeight:
    case Part::VWeight: return separate;
    case Part::QBias:
    case Part::KBias:
    case Part::VBias: return separate && info.qkv_bias;
    case Part::QNormGain:
    case Part::KNormGain: return info.query_key_norm;
    case Part::OutBias: return info.out_bias;
    case Part::Ln1PostGain: return info.post_norms;
    case Part::Ln1Gain:
    case Part::LnFinalGain: return norm;
    case Part::Ln2Gain: return mlp && norm;
    case Part::MlpInWeight:
    case Part::MlpOutWeight: return mlp;
    case Part::Ln2Bias: return mlp && norm_bias;
    case Part::MlpInBias:
    case Part::MlpOutBias: return mlp && info.mlp_bias;
    case Part::MlpGateWeight: return mlp && info.gated_mlp;
    case Part::MlpGateBias: return mlp && info.gated_mlp && info.mlp_bias;
    case Part::Ln2PostGain: return mlp && info.post_norms;
    case Part::Embed:
    case Part::OutWeight: return true;
    case Part::Count: return false;
  }
  return false;
}

Index qkv_width(const ModelInfo& info) { return (info.n_heads + 2 * info.n_kv_heads) * info.d_head; }

}  // namespace

bool is_product(Part part) {
  switch (part) {
    case Part::QkvWeight:
    case Part::QWeight:
    case Part::KWeight:
    case Part::VWeight:
    case Part::OutWeight:
    case Part::MlpGateWeight:
    case Part::MlpInWeight:
    case Part::MlpOutWeight: return true;
    default: return false;
  }
}

bool is_gain(Part part) {
  switch (part) {
    case Part::Ln1Gain:
    case Part::Ln1PostGain:
    case Part::Ln2Gain:
    case Part::Ln2PostGain:
    case Part::LnFinalGain:
    case Part::QNormGain:
    case Part::KNormGain: return true;
    default: return false;
  }
}

std::vector<Slot> slots(const ModelInfo& info) {
  std::vector<Slot> all;
  const auto add = [&](Part first, Part last, Index layer) {
    for (std::size_t p = index(first); p <= index(last); ++p) {
      if (has_part(info, static_cast<Part>(p))) all.push_back({static_cast<Part>(p), layer});
    }
  };
  add(Part::Embed, Part::PosEmbed, -1);
  for (Index l = 0; l < info.n_layers; ++l) add(Part::Ln1Gain, Part::Ln2PostGain, l);
  add(Part::LnFinalGain, Part::UnembedBias, -1);
  return all;
}

std::vector<Index> slot_shape(const ModelInfo& info, Part part) {
  const Index d = info.d_model;
  switch (part) {
    case Part::Embed:
    case Part::Unembed: return {info.d_vocab, d};
    case Part::PosEmbed: return {info.n_ctx, d};
    case Part::QkvWeight: return {d, qkv_width(info)};
    case Part::QkvBias: return {qkv_width(info)};
    case Part::QWeight: return {d, info.n_heads * info.d_head};
    case Part::KWeight:
    case Part::VWeight: return {d, info.n_kv_heads * info.d_head};
    case Part::QBias: return {info.n_heads * info.d_head};
    case Part::KBias:
    case Part::VBias: return {info.n_kv_heads * info.d_head};
    case Part::QNormGain:
    case Part::KNormGain: return {info.d_head};
    case Part::UnembedBias: return {info.d_vocab};
    case Part::OutWeight: return {info.n_heads * info.d_head, d};
    case Part::MlpGateWeight:
    case Part::MlpInWeight: return {d, info.d_mlp};
    case Part::MlpGateBias:
    case Part::MlpInBias: return {info.d_mlp};
    case Part::MlpOutWeight: return {info.d_mlp, d};
    default: return {d};
  }
}

std::string slot_name(Slot slot) {
  const char* part = kPartNames[index(slot.part)];
  return is_per_layer(slot.part) ? fmt::format("blocks.{}.{}", slot.layer, part) : part;
}

Parameters::Parameters(const ModelInfo& info) : info_(info), layers_(static_cast<std::size_t>(info.n_layers)) {}

const at::Tensor& Parameters::get(Part part, Index layer) const {
  if (is_per_layer(part)) return layers_.at(static_cast<std::size_t>(layer))[index(part)];
  return model_level_[index(part == Part::Unembed && info_.tied_embeddings ? Part::Embed : part)];
}

void Parameters::set(Slot slot, at::Tensor value) {
  DIOPTER_CHECK(has_part(info_, slot.part), "a model of this configuration has no " + slot_name(slot));
  auto& place = is_per_layer(slot.part) ? layers_.at(static_cast<std::size_t>(slot.layer)) : model_level_;
  place[index(slot.part)] = std::move(value);
}

Parameters Parameters::transformed(const std::function<at::Tensor(Slot, const at::Tensor&)>& f) const {
  Parameters copy(info_);
  for (const Slot slot : slots(info_)) copy.set(slot, f(slot, get(slot.part, slot.layer)));
  return copy;
}

void Parameters::check() const {
  const at::Tensor& first = get(Part::Embed);
  for (const Slot slot : slots(info_)) {
    const at::Tensor& tensor = get(slot.part, slot.layer);
    DIOPTER_CHECK(tensor.defined(), "no tensor for " + slot_name(slot));
    const std::vector<Index> shape = slot_shape(info_, slot.part);
    DIOPTER_CHECK(tensor.sizes() == at::IntArrayRef(shape),
                  fmt::format("{} has shape [{}], expected [{}]", slot_name(slot), fmt::join(tensor.sizes(), ", "),
                              fmt::join(shape, ", ")));
    const bool own_dtype = (is_gain(slot.part) && tensor.scalar_type() == at::kFloat) ||
                           (is_product(slot.part) && first.scalar_type() == at::kFloat);
    DIOPTER_CHECK(tensor.is_floating_point() && (own_dtype || tensor.scalar_type() == first.scalar_type()) &&
                      tensor.device() == first.device(),
                  slot_name(slot) + " has another dtype or device than embed");
  }
}

namespace {

enum class Layout { AsStored, Transposed, Query, Key, Value, HeadRows };

struct Role {
  std::string_view name;
  Part part;  // Query, Key, Value: of the joint matrix
  Layout layout;
};

constexpr std::array<Role, 28> kRoles{{
    {"W_E", Part::Embed, Layout::AsStored},
    {"W_pos", Part::PosEmbed, Layout::AsStored},
    {"W_U", Part::Unembed, Layout::Transposed},
    {"b_U", Part::UnembedBias, Layout::AsStored},
    {"ln1_w", Part::Ln1Gain, Layout::AsStored},
    {"ln1_b", Part::Ln1Bias, Layout::AsStored},
    {"W_Q", Part::QkvWeight, Layout::Query},
    {"W_K", Part::QkvWeight, Layout::Key},
    {"W_V", Part::QkvWeight, Layout::Value},
    {"b_Q", Part::QkvBias, Layout::Query},
    {"b_K", Part::QkvBias, Layout::Key},
    {"b_V", Part::QkvBias, Layout::Value},
    {"q_norm_w", Part::QNormGain, Layout::AsStored},
    {"k_norm_w", Part::KNormGain, Layout::AsStored},
    {"W_O", Part::OutWeight, Layout::HeadRows},
    {"b_O", Part::OutBias, Layout::AsStored},
    {"ln1_post_w", Part::Ln1PostGain, Layout::AsStored},
    {"ln2_w", Part::Ln2Gain, Layout::AsStored},
    {"ln2_b", Part::Ln2Bias, Layout::AsStored},
    {"W_gate", Part::MlpGateWeight, Layout::AsStored},
    {"b_gate", Part::MlpGateBias, Layout::AsStored},
    {"W_in", Part::MlpInWeight, Layout::AsStored},
    {"b_in", Part::MlpInBias, Layout::AsStored},
    {"W_out", Part::MlpOutWeight, Layout::AsStored},
    {"b_out", Part::MlpOutBias, Layout::AsStored},
    {"ln2_post_w", Part::Ln2PostGain, Layout::AsStored},
    {"ln_final_w", Part::LnFinalGain, Layout::AsStored},
    {"ln_final_b", Part::LnFinalBias, Layout::AsStored},
}};

const Role& find_role(std::string_view name) {
  std::vector<std::string> names;
  for (const Role& role : kRoles) {
    if (role.name == name) return role;
    names.emplace_back(role.name);
  }
  throw base::UserError(base::Exit::Usage,
                        fmt::format("expected the name of a weight, got '{}'{}", name, base::did_you_mean(name, names)),
                        "the names are " + base::join(names), "model.weight");
}

void check_layer(const Role& role, Index layer, const ModelInfo& info) {
  std::string wrong;
  if (is_per_layer(role.part)) {
    if (layer == kUnset) wrong = fmt::format("expected a layer for {}, got none", role.name);
    else if (layer < 0 || layer >= info.n_layers)
      wrong = fmt::format("expected a layer of 0 to {} for {}, got {}", info.n_layers - 1, role.name, layer);
  } else if (layer != kUnset) {
    wrong = fmt::format("expected no layer for {}, got {}", role.name, layer);
  }
  if (!wrong.empty()) throw base::UserError(base::Exit::Usage, wrong, {}, "model.weight");
}

// Which of q, k, v: 0, 1, 2.
Index index_of(Layout layout) { return layout == Layout::Query ? 0 : layout == Layout::Key ? 1 : 2; }

Part separate_part(Part joint, Index which) {
  static constexpr Part kWeights[] = {Part::QWeight, Part::KWeight, Part::VWeight};
  static constexpr Part kBiases[] = {Part::QBias, Part::KBias, Part::VBias};
  return (joint == Part::QkvWeight ? kWeights : kBiases)[which];
}

// Columns [.., columns] of one of q, k, v -> [.., heads, e]. No copy.
at::Tensor own_columns(const at::Tensor& joint, const ModelInfo& info, Index which) {
  const Index heads = which == 0 ? info.n_heads : info.n_kv_heads, e = info.d_head;
  if (info.qkv == QkvLayout::ByHead) return joint.unflatten(-1, {heads, 3, e}).select(-2, which);
  const Index first = which == 0 ? 0 : info.n_heads + (which - 1) * info.n_kv_heads;
  return joint.narrow(-1, first * e, heads * e).unflatten(-1, {heads, e});
}

}  // namespace

// Products in low precision are an inner matter: outside, weights have the dtype of the values.
at::Tensor Parameters::in_values(const at::Tensor& stored, Part part) const {
  return stored.defined() && is_product(part) ? stored.to(get(Part::Embed).scalar_type()) : stored;
}

at::Tensor Parameters::canonical(std::string_view role_name, Index layer) const {
  const Role& role = find_role(role_name);
  check_layer(role, layer, info_);
  const Index e = info_.d_head;
  if (role.layout == Layout::Query || role.layout == Layout::Key || role.layout == Layout::Value) {
    const Index which = index_of(role.layout);
    const bool separate = info_.qkv == QkvLayout::Separate;
    const at::Tensor stored = in_values(get(separate ? separate_part(role.part, which) : role.part, layer), role.part);
    if (!stored.defined()) return {};
    const at::Tensor own =
        separate ? stored.unflatten(-1, {stored.size(-1) / e, e}) : own_columns(stored, info_, which);
    return own.dim() == 3 ? own.permute({1, 0, 2}) : own;  // [heads, D, e] or [heads, e]
  }
  const at::Tensor stored = in_values(get(role.part, layer), role.part);
  if (!stored.defined()) return {};
  switch (role.layout) {
    case Layout::Transposed: return stored.t();
    case Layout::HeadRows: return stored.unflatten(0, {info_.n_heads, e});
    default: return stored;
  }
}

}  // namespace diopter::model
