// What weights and values in low precision do to the logits of a run, measured on its own prompts.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "engine/row_batch.hpp"
#include "model/transformer.hpp"

namespace diopter::engine {

// Rounding of a forward in this dtype, as a share of the largest logit (transformer_semantics: 3e-6 in float32).
double rounding_of(at::ScalarType dtype);

struct PrecisionLoss {
  Index positions = 0;
  double largest_logit = 0;       // of the float32 forward
  double largest_difference = 0;  // of a logit
  double largest_kl = 0;          // KL(float32 || model) at a position, nats
  Index same_top = 0;             // positions at which both have the same likeliest token
};

// The first rows and positions of a batch (at most 4 x 128), against a forward of the same weights in float32.
PrecisionLoss precision_loss(const model::Transformer& model, const RowBatch& batch);
// The same of products in low precision, against the model whose products are exact.
PrecisionLoss precision_loss(const model::Transformer& model, const model::Transformer& exact, const RowBatch& batch);

// `what`: "bfloat16", "products in bfloat16" -> "bfloat16 against float32 on 30 positions: ..."
std::string sentence(const PrecisionLoss& loss, const std::string& what);

}  // namespace diopter::engine
