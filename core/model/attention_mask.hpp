// Which keys each query sees.
#pragma once

#include <ATen/core/Tensor.h>

#include <diopter/base.hpp>

namespace diopter::model {

class AttentionMask {
 public:
  // Query i of a call stands at position earlier + i and sees the keys 0 .. earlier + i. Right padding needs no more:
  // no real position sees a pad.
  static AttentionMask causal() { return AttentionMask(); }
  // bool, broadcastable to [batch, head, query, key]; true = seen. A query that sees nothing has a pattern and z of 0.
  static AttentionMask of(at::Tensor visible);

  // Of rows that stand at different places: a query at position p sees the keys 0 .. p, place i of a row being its
  // position i. int64 [batch, query].
  static AttentionMask at_positions(at::Tensor positions);

  // Of the keys that are seen only the last `window` places, the query's own among them; 0: no limit.
  AttentionMask limited_to(Index window) const;

  bool given() const noexcept { return visible_.defined(); }  // from outside, not causal
  // Nothing but the triangle is hidden in a call of this size.
  bool is_causal(Index keys) const noexcept {
    return !given() && !positions_.defined() && (window_ == 0 || keys <= window_);
  }
  // 0 where seen, -inf elsewhere; broadcastable to [batch, head, query, key].
  at::Tensor additive(Index queries, Index keys, const at::TensorOptions& options) const;

 private:
  at::Tensor visible_, positions_;
  Index window_ = 0;
};

}  // namespace diopter::model
