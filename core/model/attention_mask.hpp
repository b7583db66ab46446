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

  bool is_causal() const noexcept { return !visible_.defined(); }
  const at::Tensor& visible() const noexcept { return visible_; }  // undefined: causal
  // 0 where seen, -inf elsewhere; broadcastable to [batch, head, query, key].
  at::Tensor additive(Index queries, Index keys, const at::TensorOptions& options) const;

 private:
  at::Tensor visible_;
};

}  // namespace diopter::model
