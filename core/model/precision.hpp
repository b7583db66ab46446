// Low precision: what it costs, and what it is measured against.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

#include "model/transformer.hpp"

namespace diopter::model {

// "float32", "bfloat16", "float16" as a manifest says it; nothing else (DIOPTER_CHECK).
at::ScalarType dtype_named(std::string_view name);

// The parameters in another floating dtype. Gains that a family applies in float32 (those stored as gain - 1) stay
// there.
Parameters in_dtype(const Parameters& parameters, at::ScalarType dtype);

// The blocks' matrices in another dtype, all else as it is: model.compute.
Parameters with_products_in(const Parameters& parameters, at::ScalarType dtype);

// ids int64 [batch, pos] -> logits [batch, pos, d_vocab] in float32 of the weights as they are, every step computed in
// float32. Holds one block's weights in float32 at a time, so that it fits wherever the model does.
at::Tensor float_logits(const Transformer& model, const at::Tensor& ids);

}  // namespace diopter::model
