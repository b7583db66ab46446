// The feed-forward part of a block, after its norm.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/parameters.hpp"
#include "model/shown.hpp"

namespace diopter::model {

// normalized [..., d_model] -> [..., d_model] with b_out; shows mlp.hook_pre and mlp.hook_post when `shown` is given.
at::Tensor mlp(const Parameters& parameters, Index layer, const at::Tensor& normalized, const Shown* shown);

}  // namespace diopter::model
