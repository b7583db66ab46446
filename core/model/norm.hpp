// LayerNorm: (x - mean) / sqrt(mean((x - mean)^2) + eps) * gain + bias over the last axis, computed in fp32 or better.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/shown.hpp"

namespace diopter::model {

struct Norm {
  const at::Tensor& gain;  // [D]
  const at::Tensor& bias;  // [D]
  double eps;
};

at::Tensor layer_norm(const at::Tensor& x, const Norm& norm);
// The same, showing hook_scale [..., 1] (the square root above) and hook_normalized [..., D] (the output).
at::Tensor layer_norm(const at::Tensor& x, const Norm& norm, const Shown& shown, Point scale, Point normalized);

}  // namespace diopter::model
