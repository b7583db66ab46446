// Cross-entropy through the unembedding without ever holding the logits of a batch.
#pragma once

#include <ATen/core/Tensor.h>

namespace diopter::engine {

// Sum over the counted targets of -log softmax(normalized W_U^T)[target], a scalar. normalized [row, pos, d_model],
// unembed [d_vocab, d_model], targets int64 [row, pos], -1: not counted. Where gradients are on, both gradients are
// computed along with the value, chunk by chunk while the logits are in cache; backward() multiplies them by the
// incoming scalar.
at::Tensor summed_cross_entropy(const at::Tensor& normalized, const at::Tensor& unembed, const at::Tensor& targets);

}  // namespace diopter::engine
