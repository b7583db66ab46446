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

Norm ln2(const Parameters& p, Index layer) {
  return {p.get(Part::Ln2Gain, layer), p.get(Part::Ln2Bias, layer), p.info().norm_eps};
}

}  // namespace

at::Tensor Transformer::block(Index layer, const at::Tensor& resid, const Pass& pass, const Rows& rows) const {
  const Shown shown(pass.tap, ids_.at(static_cast<std::size_t>(layer)));
  const at::Tensor resid_pre = shown.at(Point::ResidPre, resid);  // [batch, pos, D]

  const Qkv qkv = read_stream(parameters_, layer, resid_pre, shown, pass.path.split_inputs);
  const KeysValues seen = rows.cache ? rows.cache->append(layer, qkv.k, qkv.v) : KeysValues{qkv.k, qkv.v};
  const Heads heads{qkv.q, seen.k, seen.v};
  const bool explicit_path =
      pass.path.explicit_attention || shown.wants(Point::AttnScores) || shown.wants(Point::Pattern);
  at::Tensor z = explicit_path ? explicit_attention(heads, score_scale(layer), rows.mask, &shown)
                               : fused_attention(heads, score_scale(layer), rows.mask);
  z = shown.at(Point::Z, std::move(z));  // [batch, pos, head, e]

  bool sum_of_heads = pass.path.per_head_result;
  at::Tensor by_head;  // [batch, pos, head, D]
  if (sum_of_heads || shown.wants(Point::Result)) {
    const at::Tensor computed = result(layer, z);
    by_head = shown.at(Point::Result, computed);
    sum_of_heads = sum_of_heads || replaces(by_head, computed);
  }
  at::Tensor attention = sum_of_heads ? by_head.sum(2) + parameters_.get(Part::OutBias, layer) : attn_out(layer, z);
  attention = shown.at(Point::AttnOut, std::move(attention));
  at::Tensor resid_mid = sum(std::move(attention), resid_pre, !shown.wants(Point::AttnOut));
  if (info().attention_only) return shown.at(Point::ResidPost, std::move(resid_mid));

  resid_mid = shown.at(Point::ResidMid, std::move(resid_mid));
  const at::Tensor mlp_in = shown.at(Point::MlpIn, resid_mid);
  const at::Tensor normalized =
      layer_norm(mlp_in, ln2(parameters_, layer), shown, Point::Ln2Scale, Point::Ln2Normalized);
  at::Tensor added = shown.at(Point::MlpOut, mlp(parameters_, layer, normalized, &shown));
  return shown.at(Point::ResidPost, sum(std::move(added), resid_mid, !shown.wants(Point::MlpOut)));
}

Qkv Transformer::qkv(Index layer, const at::Tensor& resid_pre) const {
  const Norm norm{parameters_.get(Part::Ln1Gain, layer), parameters_.get(Part::Ln1Bias, layer), info().norm_eps};
  return project(parameters_, layer, layer_norm(resid_pre, norm));
}

at::Tensor Transformer::attend(Index layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                               const AttentionMask& mask, const ExecutionPath& path) const {
  const Heads heads{q, k, v};
  return path.explicit_attention ? explicit_attention(heads, score_scale(layer), mask, nullptr)
                                 : fused_attention(heads, score_scale(layer), mask);
}

at::Tensor Transformer::attn_out(Index layer, const at::Tensor& z) const {
  return affine(z.flatten(-2), parameters_.get(Part::OutWeight, layer), parameters_.get(Part::OutBias, layer));
}

at::Tensor Transformer::result(Index layer, const at::Tensor& z) const {
  const at::Tensor weight = parameters_.canonical("W_O", layer);  // [head, e, D]
  std::vector<Index> shape = z.sizes().vec();
  shape.back() = weight.size(2);
  const at::Tensor rows = z.reshape({-1, weight.size(0), weight.size(1)}).transpose(0, 1);  // [head, row, e]
  return at::bmm(rows, weight).transpose(0, 1).reshape(shape);
}

at::Tensor Transformer::mlp_out(Index layer, const at::Tensor& resid_mid) const {
  return mlp(parameters_, layer, layer_norm(resid_mid, ln2(parameters_, layer)), nullptr);
}

}  // namespace diopter::model
