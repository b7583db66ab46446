// The check of weights for NaN and infinities.
#pragma once

#include <cstdint>

#include "weights/tensor_view.hpp"

namespace diopter::model {

// How many elements of a floating tensor (F16, BF16, F32, F64) are NaN or infinite. One pass over the bytes in
// parallel.
std::int64_t count_not_finite(const weights::TensorView& tensor);

}  // namespace diopter::model
