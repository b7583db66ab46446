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

Qkv Transformer::read(Index layer, const at::Tensor& resid_pre, const Pass& pass) const {
  return read_stream(parameters_, layer, resid_pre, shown(layer, pass), pass.path.split_inputs);
}

Qkv Transformer::read_keys_values(Index layer, const at::Tensor& resid_pre) const {
  Qkv qkv = project_keys(parameters_, layer, normalize(resid_pre, stream_norm(parameters_, Part::Ln1Gain, layer)));
  qkv.q = at::Tensor();
  return qkv;
}

Qkv Transformer::placed(Index layer, Qkv qkv, const Angles& angles, const Shown& shown) const {
  const bool queries = qkv.q.defined();
  if (info().query_key_norm) {
    if (queries)
      qkv.q = normalize(qkv.q, head_norm(parameters_, Part::QNormGain, layer), shown, Point::QNormScale,
                        Point::QNormNormalized);
    qkv.k = normalize(qkv.k, head_norm(parameters_, Part::KNormGain, layer), shown, Point::KNormScale,
                      Point::KNormNormalized);
  }
  if (info().positions == PositionKind::Rotary) {
    if (queries) qkv.q = shown.at(Point::RotQ, rotary_.turned(qkv.q, angles));
    qkv.k = shown.at(Point::RotK, rotary_.turned(qkv.k, angles));
  }
  return qkv;
}

Qkv Transformer::place(Index layer, Qkv raw, const at::Tensor& positions, const Pass& pass) const {
  const bool rotary = info().positions == PositionKind::Rotary;
  DIOPTER_CHECK(!rotary || positions.defined(), "q and k of a rotary model need their positions");
  return placed(layer, std::move(raw), rotary ? rotary_.at_positions(positions) : Angles{}, shown(layer, pass));
}

Qkv Transformer::qkv(Index layer, const at::Tensor& resid_pre, const at::Tensor& positions) const {
  return place(layer, read(layer, resid_pre), positions);
}

at::Tensor Transformer::block(Index layer, const at::Tensor& resid, const Pass& pass, const Rows& rows) const {
  const Shown shown = this->shown(layer, pass);
  const at::Tensor resid_pre = shown.at(Point::ResidPre, resid);  // [batch, pos, D]

  // Keys are shown before they are cached: what an edit makes of a key stays for all later queries.
  const Qkv qkv = placed(layer, read(layer, resid_pre, pass), angles(rows, resid.size(1)), shown);
  const KeysValues seen = rows.cache ? rows.cache->append(layer, qkv.k, qkv.v) : KeysValues{qkv.k, qkv.v};
  const Heads heads{qkv.q, seen.k, seen.v};
  const AttentionMask mask = rows.mask.limited_to(info().window(layer));
  const bool explicit_path =
      pass.path.explicit_attention || shown.wants(Point::AttnScores) || shown.wants(Point::Pattern);
  at::Tensor z = explicit_path ? explicit_attention(heads, score_rule(layer), mask, &shown)
                               : fused_attention(heads, score_rule(layer), mask);
  z = shown.at(Point::Z, std::move(z));  // [batch, pos, head, e]

  at::Tensor attention = after_attention(layer, attention_sum(layer, z, pass), pass);
  attention = shown.at(Point::AttnOut, std::move(attention));
  at::Tensor resid_mid = sum(std::move(attention), resid_pre, !shown.wants(Point::AttnOut));
  if (info().attention_only) return shown.at(Point::ResidPost, std::move(resid_mid));

  if (!info().parallel_block) resid_mid = shown.at(Point::ResidMid, std::move(resid_mid));
  at::Tensor added = mlp_out(layer, info().parallel_block ? resid_pre : resid_mid, pass);
  added = shown.at(Point::MlpOut, std::move(added));
  return shown.at(Point::ResidPost, sum(std::move(added), resid_mid, !shown.wants(Point::MlpOut)));
}

at::Tensor Transformer::attend(Index layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                               const AttentionMask& mask, const ExecutionPath& path) const {
  const Heads heads{q, k, v};
  const AttentionMask limited = mask.limited_to(info().window(layer));
  return path.explicit_attention ? explicit_attention(heads, score_rule(layer), limited, nullptr)
                                 : fused_attention(heads, score_rule(layer), limited);
}

at::Tensor Transformer::attention_sum(Index layer, const at::Tensor& z, const Pass& pass) const {
  const Shown shown = this->shown(layer, pass);
  bool sum_of_heads = pass.path.per_head_result;
  at::Tensor by_head;  // [..., head, D]
  if (sum_of_heads || shown.wants(Point::Result)) {
    const at::Tensor computed = result(layer, z);
    by_head = shown.at(Point::Result, computed);
    sum_of_heads = sum_of_heads || replaces(by_head, computed);
  }
  if (!sum_of_heads)
    return affine(z.flatten(-2), parameters_.get(Part::OutWeight, layer), parameters_.get(Part::OutBias, layer));
  const at::Tensor sum = by_head.sum(-2);
  return info().out_bias ? sum + parameters_.get(Part::OutBias, layer) : sum;
}

at::Tensor Transformer::after_attention(Index layer, at::Tensor sum, const Pass& pass) const {
  if (!info().post_norms) return sum;
  return normalize(sum, stream_norm(parameters_, Part::Ln1PostGain, layer), shown(layer, pass), Point::Ln1PostScale,
                   Point::Ln1PostNormalized);
}

at::Tensor Transformer::attn_out(Index layer, const at::Tensor& z) const {
  return after_attention(layer, attention_sum(layer, z));
}

at::Tensor Transformer::result(Index layer, const at::Tensor& z) const {
  const at::Tensor weight = parameters_.canonical("W_O", layer);  // [head, e, D]
  std::vector<Index> shape = z.sizes().vec();
  shape.back() = weight.size(2);
  const at::Tensor rows = z.reshape({-1, weight.size(0), weight.size(1)}).transpose(0, 1);  // [head, row, e]
  return at::bmm(rows, weight).transpose(0, 1).reshape(shape);
}

at::Tensor Transformer::mlp_out(Index layer, const at::Tensor& mlp_in, const Pass& pass) const {
  const Shown shown = this->shown(layer, pass);
  const at::Tensor normalized =
      normalize(shown.at(Point::MlpIn, mlp_in), stream_norm(parameters_, Part::Ln2Gain, layer), shown, Point::Ln2Scale,
                Point::Ln2Normalized);
  return after_mlp(layer, mlp(parameters_, layer, normalized, &shown), shown);
}

at::Tensor Transformer::neurons(const at::Tensor& pre, const at::Tensor& linear) const {
  return model::neurons(info(), pre, linear);
}

at::Tensor Transformer::mlp_from_neurons(Index layer, const at::Tensor& post, const Pass& pass) const {
  const at::Tensor sum =
      affine(post, parameters_.get(Part::MlpOutWeight, layer), parameters_.get(Part::MlpOutBias, layer));
  return after_mlp(layer, sum, shown(layer, pass));
}

at::Tensor Transformer::after_mlp(Index layer, at::Tensor sum, const Shown& shown) const {
  if (!info().post_norms) return sum;
  return normalize(sum, stream_norm(parameters_, Part::Ln2PostGain, layer), shown, Point::Ln2PostScale,
                   Point::Ln2PostNormalized);
}

}  // namespace diopter::model
