// The feed-forward part of a block, after its norm.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/parameters.hpp"
#include "model/shown.hpp"

namespace diopter::model {

// normalized [..., d_model] -> [..., d_model] with b_out; gated: act(x W_gate + b_gate) * (x W_in + b_in) instead of
// act(x W_in + b_in). Shows mlp.hook_pre, hook_pre_linear and hook_post when `shown` is given.
at::Tensor mlp(const Parameters& parameters, Index layer, const at::Tensor& normalized, const Shown* shown);

// mlp.hook_post [..., F] from mlp.hook_pre and, where the block is gated (else undefined), mlp.hook_pre_linear.
at::Tensor neurons(const ModelInfo& info, const at::Tensor& pre, const at::Tensor& linear);

}  // namespace diopter::model
