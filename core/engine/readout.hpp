// What a residual stream would predict: top tokens, KL, entropy, ranks. By chunks: [..., d_vocab] never exists at once.
#pragma once

#include <diopter/model.hpp>

#include "model/transformer.hpp"

namespace diopter::engine {

// resid [..., d_model]. Sums in double. Rows that are NaN (padding) give NaN, and token -1. Ranks count tokens with a
// strictly larger logit. `what.targets` int64 [prompt, n]: [prompt] is resid's first dimension; -1 gives NaN.
// `what.kl_from` has the shape of resid or of its last dimensions; then each of its rows is unembedded once for all
// that compare with it. Of equal logits top_k has the lower token first (not on a GPU, nor of models in float64). On
// the processor chunks of rows are spread over at::get_num_threads() threads; which thread takes a chunk changes no
// bit, their size follows from that number. No gradient flows through it.
Readout read_out(const model::Transformer& model, const Tensor& resid, const Read& what);

}  // namespace diopter::engine
