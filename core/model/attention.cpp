#include "model/attention.hpp"

#include <ATen/ATen.h>

namespace diopter::model {
namespace {

at::Tensor by_head(const at::Tensor& x) {
  return x.transpose(1, 2);
}  // [batch, pos, head, e] <-> [batch, head, pos, e]

// The heads of one key/value head side by side: one product serves them.
struct Groups {
  Index batch, kv_heads, per_group, queries, keys;
  Index count() const { return batch * kv_heads; }
  Index rows() const { return per_group * queries; }
  std::vector<Index> scores() const { return {batch, kv_heads * per_group, queries, keys}; }
};

at::Tensor masked_scores(const Heads& heads, const ScoreRule& rule, const AttentionMask& mask, const Groups& groups) {
  const at::Tensor q = by_head(heads.q).reshape({groups.count(), groups.rows(), heads.q.size(3)});
  const at::Tensor k_by_column =
      by_head(heads.k).reshape({groups.count(), groups.keys, heads.k.size(3)}).transpose(1, 2);
  const at::Tensor additive = mask.additive(groups.queries, groups.keys, heads.q.options());
  if (rule.softcap > 0) {
    const at::Tensor scores = at::tanh(at::bmm(q, k_by_column) * (rule.scale / rule.softcap)) * rule.softcap;
    return scores.view(groups.scores()) + additive;
  }
  // The mask becomes the scores in place: another [batch, head, query, key] would cost more than the product.
  at::Tensor scores = additive.expand(groups.scores()).clone(at::MemoryFormat::Contiguous);
  scores.view({groups.count(), groups.rows(), groups.keys}).baddbmm_(q, k_by_column, 1, rule.scale);
  return scores;
}

}  // namespace

at::Tensor fused_attention(const Heads& heads, const ScoreRule& rule, const AttentionMask& mask) {
  if (rule.softcap > 0) return explicit_attention(heads, rule, mask, nullptr);
  const at::Tensor q = by_head(heads.q), k = by_head(heads.k), v = by_head(heads.v);
  const Index queries = q.size(2), keys = k.size(2);
  const bool causal = mask.is_causal(keys);
  const bool square_causal = causal && queries == keys;  // the kernel aligns its triangle at the first key
  std::optional<at::Tensor> additive;
  if (!square_causal && !(causal && queries == 1)) additive = mask.additive(queries, keys, q.options());
  const bool grouped = q.size(1) != k.size(1);
  at::Tensor z = at::scaled_dot_product_attention(q, k, v, additive, 0.0, square_causal, rule.scale, grouped);
  return by_head(z);
}

at::Tensor explicit_attention(const Heads& heads, const ScoreRule& rule, const AttentionMask& mask,
                              const Shown* shown) {
  const Index kv_heads = heads.k.size(2);
  const Groups groups{heads.q.size(0), kv_heads, heads.q.size(2) / kv_heads, heads.q.size(1), heads.k.size(1)};
  at::Tensor scores = masked_scores(heads, rule, mask, groups);
  // Only a mask from outside or an edit can hide every key from a query; looking for such rows costs as much as the
  // softmax itself.
  bool may_see_nothing = mask.given();
  if (shown && shown->wants(Point::AttnScores)) {
    const at::Tensor computed = scores;
    scores = shown->at(Point::AttnScores, std::move(scores));
    may_see_nothing = may_see_nothing || !scores.is_same(computed);
  }
  at::Tensor pattern = may_see_nothing ? at::_safe_softmax(scores, -1) : at::softmax(scores, -1);
  if (shown) pattern = shown->at(Point::Pattern, std::move(pattern));
  const at::Tensor v = by_head(heads.v).reshape({groups.count(), groups.keys, heads.v.size(3)});
  const at::Tensor z = at::bmm(pattern.reshape({groups.count(), groups.rows(), groups.keys}), v);
  return by_head(z.view({groups.batch, heads.q.size(2), groups.queries, z.size(2)}));
}

}  // namespace diopter::model
