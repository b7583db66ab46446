#include <ATen/ATen.h>

#include "base/error.hpp"
#include "model/attention.hpp"
#include "model/linear.hpp"
#include "model/mlp.hpp"
#include "model/norm.hpp"
#include "model/read_stream.hpp"
#include "model/shown.hpp"
#include "model/transformer.hpp"

namespace diopter::model {
namespace {

Norm head_norm(const Parameters& p, Part gain, Index layer) {
  static const at::Tensor none;
  return {NormKind::RmsNorm, p.get(gain, layer), none, p.info().norm_eps};
}

}  // namespace

Angles Transformer::angles(const Rows& rows, Index count) const {
  if (info().positions != PositionKind::Rotary) return {};
  if (rows.positions.defined()) return rotary_.at_positions(rows.positions);
  return rotary_.at_range(rows.cache ? rows.cache->length() : 0, count);
}

Qkv Transformer::placed(Index layer, Qkv qkv, const Angles& angles, const Shown& shown) const {
  if (info().query_key_norm) {
    qkv.q = normalize(qkv.q, head_norm(parameters_, Part::QNormGain, layer), shown, Point::QNormScale,
                      Point::QNormNormalized);
    qkv.k = normalize(qkv.k, head_norm(parameters_, Part::KNormGain, layer), shown, Point::KNormScale,
                      Point::KNormNormalized);
  }
  if (info().positions == PositionKind::Rotary) {
    qkv.q = shown.at(Point::RotQ, rotary_.turned(qkv.q, angles));
    qkv.k = rotary_.turned(qkv.k, angles);
  }
  return qkv;
}

at::Tensor Transformer::block(Index layer, const at::Tensor& resid, const Pass& pass, const Rows& rows) const {
  const Shown shown(pass.tap, ids_.at(static_cast<std::size_t>(layer)));
  const at::Tensor resid_pre = shown.at(Point::ResidPre, resid);  // [batch, pos, D]

  Qkv qkv = placed(layer, read_stream(parameters_, layer, resid_pre, shown, pass.path.split_inputs),
                   angles(rows, resid.size(1)), shown);
  // Shown before they are cached: what an edit makes of a key stays for all later queries.
  if (info().positions == PositionKind::Rotary) qkv.k = shown.at(Point::RotK, std::move(qkv.k));
  const KeysValues seen = rows.cache ? rows.cache->append(layer, qkv.k, qkv.v) : KeysValues{qkv.k, qkv.v};
  const Heads heads{qkv.q, seen.k, seen.v};
  const AttentionMask mask = rows.mask.limited_to(info().window(layer));
  const bool explicit_path =
      pass.path.explicit_attention || shown.wants(Point::AttnScores) || shown.wants(Point::Pattern);
  at::Tensor z = explicit_path ? explicit_attention(heads, score_rule(layer), mask, &shown)
                               : fused_attention(heads, score_rule(layer), mask);
  z = shown.at(Point::Z, std::move(z));  // [batch, pos, head, e]

  bool sum_of_heads = pass.path.per_head_result;
  at::Tensor by_head;  // [batch, pos, head, D]
  if (sum_of_heads || shown.wants(Point::Result)) {
    const at::Tensor computed = result(layer, z);
    by_head = shown.at(Point::Result, computed);
    sum_of_heads = sum_of_heads || replaces(by_head, computed);
  }
  at::Tensor attention;
  if (sum_of_heads) {
    attention = by_head.sum(2);
    if (info().out_bias) attention = attention + parameters_.get(Part::OutBias, layer);
  } else {
    attention = projected(layer, z);
  }
  if (info().post_norms)
    attention = normalize(attention, stream_norm(parameters_, Part::Ln1PostGain, layer), shown, Point::Ln1PostScale,
                          Point::Ln1PostNormalized);
  attention = shown.at(Point::AttnOut, std::move(attention));
  at::Tensor resid_mid = sum(std::move(attention), resid_pre, !shown.wants(Point::AttnOut));
  if (info().attention_only) return shown.at(Point::ResidPost, std::move(resid_mid));

  if (!info().parallel_block) resid_mid = shown.at(Point::ResidMid, std::move(resid_mid));
  const at::Tensor mlp_in = shown.at(Point::MlpIn, info().parallel_block ? resid_pre : resid_mid);
  at::Tensor added = fed_forward(layer, mlp_in, shown);
  added = shown.at(Point::MlpOut, std::move(added));
  return shown.at(Point::ResidPost, sum(std::move(added), resid_mid, !shown.wants(Point::MlpOut)));
}

at::Tensor Transformer::fed_forward(Index layer, const at::Tensor& mlp_in, const Shown& shown) const {
  const at::Tensor normalized =
      normalize(mlp_in, stream_norm(parameters_, Part::Ln2Gain, layer), shown, Point::Ln2Scale, Point::Ln2Normalized);
  at::Tensor added = mlp(parameters_, layer, normalized, &shown);
  if (!info().post_norms) return added;
  return normalize(added, stream_norm(parameters_, Part::Ln2PostGain, layer), shown, Point::Ln2PostScale,
                   Point::Ln2PostNormalized);
}

Qkv Transformer::qkv(Index layer, const at::Tensor& resid_pre, const at::Tensor& positions) const {
  const bool rotary = info().positions == PositionKind::Rotary;
  DIOPTER_CHECK(!rotary || positions.defined(), "q and k of a rotary model need their positions");
  const Qkv plain = project(parameters_, layer, normalize(resid_pre, stream_norm(parameters_, Part::Ln1Gain, layer)));
  return placed(layer, plain, rotary ? rotary_.at_positions(positions) : Angles{}, Shown(nullptr, ids_.front()));
}

at::Tensor Transformer::attend(Index layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                               const AttentionMask& mask, const ExecutionPath& path) const {
  const Heads heads{q, k, v};
  const AttentionMask limited = mask.limited_to(info().window(layer));
  return path.explicit_attention ? explicit_attention(heads, score_rule(layer), limited, nullptr)
                                 : fused_attention(heads, score_rule(layer), limited);
}

at::Tensor Transformer::projected(Index layer, const at::Tensor& z) const {
  return affine(z.flatten(-2), parameters_.get(Part::OutWeight, layer), parameters_.get(Part::OutBias, layer));
}

at::Tensor Transformer::attn_out(Index layer, const at::Tensor& z) const {
  const at::Tensor out = projected(layer, z);
  return info().post_norms ? normalize(out, stream_norm(parameters_, Part::Ln1PostGain, layer)) : out;
}

at::Tensor Transformer::result(Index layer, const at::Tensor& z) const {
  const at::Tensor weight = parameters_.canonical("W_O", layer);  // [head, e, D]
  std::vector<Index> shape = z.sizes().vec();
  shape.back() = weight.size(2);
  const at::Tensor rows = z.reshape({-1, weight.size(0), weight.size(1)}).transpose(0, 1);  // [head, row, e]
  return at::bmm(rows, weight).transpose(0, 1).reshape(shape);
}

at::Tensor Transformer::mlp_out(Index layer, const at::Tensor& mlp_in) const {
  return fed_forward(layer, mlp_in, Shown(nullptr, ids_.front()));
}

}  // namespace diopter::model
