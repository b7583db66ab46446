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

at::Tensor AttentionMask::additive(Index queries, Index keys, const at::TensorOptions& options) const {
  if (is_causal()) {
    return at::full({queries, keys}, kMinusInfinity, options)
        .triu_(keys - queries + 1);  // the last query sees every key
  }
  return at::zeros(visible_.sizes(), options).masked_fill_(visible_.logical_not(), kMinusInfinity);
}

}  // namespace diopter::model
