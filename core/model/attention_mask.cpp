#include "model/attention_mask.hpp"

#include <ATen/ATen.h>

#include <limits>

#include "base/error.hpp"

namespace diopter::model {
namespace {
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
}

AttentionMask AttentionMask::of(at::Tensor visible) {
  DIOPTER_CHECK(visible.scalar_type() == at::kBool && visible.dim() <= 4,
                "an attention mask is a bool tensor of at most 4 dimensions");
  AttentionMask mask;
  mask.visible_ = std::move(visible);
  return mask;
}

AttentionMask AttentionMask::at_positions(at::Tensor positions) {
  DIOPTER_CHECK(positions.scalar_type() == at::kLong && positions.dim() == 2, "positions are int64 [batch, query]");
  AttentionMask mask;
  mask.positions_ = std::move(positions);
  return mask;
}

AttentionMask AttentionMask::limited_to(Index window) const {
  AttentionMask limited = *this;
  limited.window_ = window;
  return limited;
}

at::Tensor AttentionMask::additive(Index queries, Index keys, const at::TensorOptions& options) const {
  if (positions_.defined()) {
    const at::Tensor query = positions_.unsqueeze(1).unsqueeze(-1);  // [batch, 1, query, 1]
    const at::Tensor key = at::arange(keys, positions_.options());
    at::Tensor hidden = key > query;
    if (window_ > 0) hidden = hidden | (key <= query - window_);
    return at::zeros(hidden.sizes(), options).masked_fill_(hidden, kMinusInfinity);
  }
  const Index earlier = keys - queries;  // the last query sees the last key
  at::Tensor mask = given() ? at::zeros(visible_.sizes(), options).masked_fill_(visible_.logical_not(), kMinusInfinity)
                            : at::full({queries, keys}, kMinusInfinity, options).triu_(earlier + 1);
  if (window_ > 0 && keys > window_)
    mask = mask + at::full({queries, keys}, kMinusInfinity, options).tril_(earlier - window_);
  return mask;
}

}  // namespace diopter::model
