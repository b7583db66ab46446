#include "model/rearrange.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "model/config.hpp"

namespace diopter::model {
namespace {

using base::Exit;
using base::UserError;

[[noreturn]] void cannot_express(const std::string& family, const Parameters& from, const std::string& what) {
  throw UserError(Exit::Refused,
                  fmt::format("expected a model that the {} layout can hold, got {} with {}", family,
                              from.info().name.empty() ? "one" : from.info().name, what),
                  {}, "model.convert");
}

// Fields that decide numbers, where two configurations differ; how a checkpoint holds them is left out.
std::vector<std::string> differences(const ModelInfo& a, const ModelInfo& b) {
  std::vector<std::string> out;
  const auto compare = [&out](const char* name, const auto& x, const auto& y) {
    if (x != y) out.emplace_back(name);
  };
  compare("n_layers", a.n_layers, b.n_layers);
  compare("n_heads", a.n_heads, b.n_heads);
  compare("n_kv_heads", a.n_kv_heads, b.n_kv_heads);
  compare("d_model", a.d_model, b.d_model);
  compare("d_head", a.d_head, b.d_head);
  if (!a.attention_only) compare("d_mlp", a.d_mlp, b.d_mlp);
  compare("d_vocab", a.d_vocab, b.d_vocab);
  compare("n_ctx", a.n_ctx, b.n_ctx);
  compare("another norm", a.norm, b.norm);
  if (a.norm != NormKind::None) compare("another eps", a.norm_eps, b.norm_eps);
  compare("another kind of positions", a.positions, b.positions);
  if (!a.attention_only) compare("another activation", a.activation, b.activation);
  // Written as its inverse by some families.
  if (std::abs(a.attention_scale - b.attention_scale) > 1e-12 * a.attention_scale)
    out.emplace_back("another attention scale");
  if (b.tied_embeddings && !a.tied_embeddings) out.emplace_back("an unembedding of its own");
  compare("scores scaled by layer", a.scale_by_inverse_layer, b.scale_by_inverse_layer);
  if (!a.attention_only) compare("another order of attention and MLP", a.parallel_block, b.parallel_block);
  compare("attention-only blocks", a.attention_only, b.attention_only);
  compare("a gated MLP", a.gated_mlp, b.gated_mlp);
  if (a.positions == PositionKind::Rotary) {
    compare("rotary_dims", a.rotary_dims, b.rotary_dims);
    compare("rotary scaling", a.rope.kind, b.rope.kind);
    compare("rotary theta", a.rope.theta, b.rope.theta);
    if (a.rope.kind != RopeKind::Plain) compare("rotary factor", a.rope.factor, b.rope.factor);
    if (a.rope.kind == RopeKind::Llama3) {
      compare("rotary frequencies", std::pair(a.rope.low_freq_factor, a.rope.high_freq_factor),
              std::pair(b.rope.low_freq_factor, b.rope.high_freq_factor));
      compare("rotary context", a.rope.original_n_ctx, b.rope.original_n_ctx);
    }
  }
  for (Index layer = 0; layer < a.n_layers; ++layer) {
    if (a.window(layer) == b.window(layer)) continue;
    out.emplace_back("windows");
    break;
  }
  compare("soft caps", std::pair(a.score_softcap, a.logit_softcap), std::pair(b.score_softcap, b.logit_softcap));
  compare("a scaled embedding", a.embed_scale, b.embed_scale);
  compare("norms of q and k", a.query_key_norm, b.query_key_norm);
  compare("norms after attention and MLP", a.post_norms, b.post_norms);
  return out;
}

ModelInfo info_in(const Parameters& from, const std::string& family) {
  ModelInfo wanted = from.info();
  wanted.family = family;
  ModelInfo info = parse_config(config_json(wanted), "the converted config.json");
  info.name = from.info().name;
  const std::vector<std::string> lost = differences(from.info(), info);
  if (!lost.empty()) cannot_express(family, from, base::join(lost));
  return info;
}

// Roles that a layout may leave out because they can be neutral.
struct Optional {
  std::string_view role;
  Part part;
  double neutral;
};
constexpr std::array<Optional, 16> kOptional{{{"ln1_w", Part::Ln1Gain, 1},
                                              {"ln1_b", Part::Ln1Bias, 0},
                                              {"b_Q", Part::QBias, 0},
                                              {"b_K", Part::KBias, 0},
                                              {"b_V", Part::VBias, 0},
                                              {"b_O", Part::OutBias, 0},
                                              {"ln1_post_w", Part::Ln1PostGain, 1},
                                              {"ln2_w", Part::Ln2Gain, 1},
                                              {"ln2_b", Part::Ln2Bias, 0},
                                              {"b_gate", Part::MlpGateBias, 0},
                                              {"b_in", Part::MlpInBias, 0},
                                              {"b_out", Part::MlpOutBias, 0},
                                              {"ln2_post_w", Part::Ln2PostGain, 1},
                                              {"ln_final_w", Part::LnFinalGain, 1},
                                              {"ln_final_b", Part::LnFinalBias, 0},
                                              {"b_U", Part::UnembedBias, 0}}};

// What the other layout has no place for must not matter.
void check_nothing_is_lost(const Parameters& from, const Parameters& to) {
  for (const Optional& optional : kOptional) {
    const Index layers = is_per_layer(optional.part) ? from.info().n_layers : 1;
    for (Index i = 0; i < layers; ++i) {
      const Index layer = is_per_layer(optional.part) ? i : kUnset;
      const at::Tensor had = from.canonical(optional.role, layer);
      if (!had.defined() || to.canonical(optional.role, layer).defined()) continue;
      if ((had != optional.neutral).any().item<bool>()) {
        cannot_express(to.info().family, from,
                       fmt::format("{}{} other than {}", optional.role,
                                   layer == kUnset ? "" : fmt::format(" of layer {}", layer), optional.neutral));
      }
    }
  }
}

at::Tensor columns(const at::Tensor& by_head) {  // [heads, D, e] -> [D, heads e]; [heads, e] -> [heads e]
  return by_head.dim() == 3 ? by_head.permute({1, 0, 2}).reshape({by_head.size(1), -1}) : by_head.reshape({-1});
}

at::Tensor or_zeros(const at::Tensor& value, const at::Tensor& like, Index heads, Index e) {
  return value.defined() ? value : at::zeros({heads, e}, like.options());
}

// q | k | v of a joint slot, as `info` orders its columns.
at::Tensor joined(const std::array<at::Tensor, 3>& by_head, const ModelInfo& info) {
  if (info.qkv == QkvLayout::Parts) return at::cat({columns(by_head[0]), columns(by_head[1]), columns(by_head[2])}, -1);
  const at::Tensor together = at::stack({by_head[0], by_head[1], by_head[2]}, 1);  // [head, 3, (D,) e]
  return together.dim() == 4 ? together.permute({2, 0, 1, 3}).reshape({together.size(2), -1}) : together.reshape({-1});
}

at::Tensor slot_value(const Parameters& from, const ModelInfo& to, Slot slot) {
  const Index layer = slot.layer;
  const auto query = [&](const char* role) { return from.canonical(role, layer); };
  const auto bias = [&](const char* role, Index heads) {
    return or_zeros(query(role), from.get(Part::Embed), heads, to.d_head);
  };
  switch (slot.part) {
    case Part::QkvWeight: return joined({query("W_Q"), query("W_K"), query("W_V")}, to);
    case Part::QkvBias:
      return joined({bias("b_Q", to.n_heads), bias("b_K", to.n_kv_heads), bias("b_V", to.n_kv_heads)}, to);
    case Part::QWeight: return columns(query("W_Q"));
    case Part::KWeight: return columns(query("W_K"));
    case Part::VWeight: return columns(query("W_V"));
    case Part::QBias: return columns(bias("b_Q", to.n_heads));
    case Part::KBias: return columns(bias("b_K", to.n_kv_heads));
    case Part::VBias: return columns(bias("b_V", to.n_kv_heads));
    default: break;
  }
  const at::Tensor& same = from.get(slot.part, layer);
  if (same.defined()) return same;
  const auto options = from.get(Part::Embed).options();
  const std::vector<Index> shape = slot_shape(to, slot.part);
  return is_gain(slot.part) ? at::ones(shape, options) : at::zeros(shape, options);
}

}  // namespace

Parameters rearranged(const Parameters& from, const std::string& family) {
  Parameters to(info_in(from, family));
  for (const Slot slot : slots(to.info())) to.set(slot, slot_value(from, to.info(), slot));
  to.check();
  check_nothing_is_lost(from, to);
  return to;
}

}  // namespace diopter::model
