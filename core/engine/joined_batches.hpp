// Values of several batches as one tensor.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include <diopter/base.hpp>

namespace diopter::engine {

// One after the other along `batch_dim`; the other dimensions, of batches with other lengths, are as long as the
// longest: NaN where a row is shorter. The single part itself where there is but one.
at::Tensor joined_batches(const std::vector<at::Tensor>& parts, Index batch_dim = 0);

}  // namespace diopter::engine
