// Products with the layouts of Parameters, for inputs of any leading shape.
#pragma once

#include <ATen/core/Tensor.h>

namespace diopter::model {

// x [..., in], weight [in, out], bias [out] or undefined -> [..., out]. A weight in bfloat16 or float16 beside values
// in float32 makes a product of that precision.
at::Tensor affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// a + b. Writes the sum into a where that is allowed (`reuse_a`) and no graph needs it.
at::Tensor sum(at::Tensor a, const at::Tensor& b, bool reuse_a);

}  // namespace diopter::model
