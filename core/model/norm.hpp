// The norms over the last axis, computed in fp32 or better.
// LayerNorm: (x - mean) / sqrt(mean((x - mean)^2) + eps) * gain + bias. RMSNorm: x / sqrt(mean(x^2) + eps) * gain.
// None: x itself, with no points to show.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/parameters.hpp"
#include "model/shown.hpp"

namespace diopter::model {

struct Norm {
  NormKind kind;
  const at::Tensor& gain;  // [D]; undefined without a norm
  const at::Tensor& bias;  // [D]; undefined: none
  double eps;
};

// Of this model; one of the norms on the stream, of `layer` or (LnFinalGain) the last.
Norm stream_norm(const Parameters& parameters, Part gain, Index layer = -1);

at::Tensor normalize(const at::Tensor& x, const Norm& norm);
// The same, showing hook_scale [..., 1] (the square root above) and hook_normalized [..., D] (LayerNorm: the output;
// RMSNorm: x / scale, as in TransformerLens 2.x).
at::Tensor normalize(const at::Tensor& x, const Norm& norm, const Shown& shown, Point scale, Point normalized);

}  // namespace diopter::model
