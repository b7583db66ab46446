// Between stored bytes and tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "weights/tensor_view.hpp"

namespace diopter::model {

// Floating dtypes only; nothing for the others.
std::optional<at::ScalarType> scalar_type(weights::Dtype dtype);
std::optional<weights::Dtype> stored_dtype(at::ScalarType dtype);

// The mapped bytes as a tensor that keeps the mapping alive: read-only memory. A copy when they are not aligned for
// their type, or when its elements overlap or leave gaps.
at::Tensor as_tensor(const weights::TensorView& view);

}  // namespace diopter::model
