// What a residual stream would predict: top tokens, KL, entropy, ranks. By chunks: [..., d_vocab] never exists at once.
#pragma once

#include <diopter/model.hpp>

#include "model/transformer.hpp"

namespace diopter::engine {

// resid [..., d_model]. Sums in double. Rows that are NaN (padding) give NaN, and token -1. Ranks count tokens with a
// strictly larger logit. `what.targets` int64 [prompt, n]: [prompt] is resid's first dimension; -1 gives NaN.
Readout read_out(const model::Transformer& model, const Tensor& resid, const Read& what);

}  // namespace diopter::engine
