#include "model/attention.hpp"

#include <ATen/ATen.h>

namespace diopter::model {
namespace {

at::Tensor by_head(const at::Tensor& x) {
  return x.transpose(1, 2);
}  // [batch, pos, head, e] <-> [batch, head, pos, e]

}  // namespace

at::Tensor fused_attention(const Heads& heads, double scale, const AttentionMask& mask) {
  const at::Tensor q = by_head(heads.q), k = by_head(heads.k), v = by_head(heads.v);
  const Index queries = q.size(2), keys = k.size(2);
  const bool square_causal = mask.is_causal() && queries == keys;  // the kernel aligns its triangle at the first key
  std::optional<at::Tensor> additive;
  if (!square_causal && !(mask.is_causal() && queries == 1)) additive = mask.additive(queries, keys, q.options());
  at::Tensor z = at::scaled_dot_product_attention(q, k, v, additive, 0.0, square_causal, scale);
  return by_head(z);
}

at::Tensor explicit_attention(const Heads& heads, double scale, const AttentionMask& mask, const Shown* shown) {
  const Index batch = heads.q.size(0), queries = heads.q.size(1), head_count = heads.q.size(2), keys = heads.k.size(1);
  const auto flat = [&](const at::Tensor& x) { return by_head(x).reshape({batch * head_count, x.size(1), x.size(3)}); };
  const at::Tensor additive = mask.additive(queries, keys, heads.q.options())
                                  .expand({batch, head_count, queries, keys})
                                  .reshape({batch * head_count, queries, keys});
  const at::Tensor k_by_column = flat(heads.k).transpose(1, 2);  // [batch head, e, key]
  at::Tensor scores =
      at::baddbmm(additive, flat(heads.q), k_by_column, 1, scale).view({batch, head_count, queries, keys});
  if (shown) scores = shown->at(Point::AttnScores, std::move(scores));
  // Only a mask from outside or an edit can hide every key from a query.
  const bool may_see_nothing = !mask.is_causal() || (shown && shown->wants(Point::AttnScores));
  at::Tensor pattern = may_see_nothing ? at::_safe_softmax(scores, -1) : at::softmax(scores, -1);
  if (shown) pattern = shown->at(Point::Pattern, std::move(pattern));
  const at::Tensor z = at::bmm(pattern.reshape({batch * head_count, queries, keys}), flat(heads.v));
  return by_head(z.view({batch, head_count, queries, z.size(2)}));
}

}  // namespace diopter::model
