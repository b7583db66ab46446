// From logits to the next token.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include <diopter/generation.hpp>

#include "engine/sample_rng.hpp"

namespace diopter::engine {

struct ChoiceRule {
  double temperature = 0, top_p = 1;
  Index top_k = 0;
  bool greedy() const noexcept { return temperature == 0; }
};

// Logits [row, token] of which the rule keeps what may be drawn; the others are -inf. Not for greedy rules. Same
// operations, order and dtype as transformers' warpers, so that the same logits are kept; which of equal ones at
// top-p's border is left to an unstable sort there, here the higher ids stay.
at::Tensor kept_logits(const at::Tensor& logits, const ChoiceRule& rule);

// The token at which the cumulated softmax of one row [token] passes `uniform` of [0, 1). kUnset when the logits hold
// NaN or nothing but -inf.
Index token_at(const at::Tensor& kept_row, double uniform);

// One token per row; `generators` [row] are used when the rule is not greedy. kUnset where the logits are not numbers.
std::vector<Index> chosen_tokens(const at::Tensor& logits, const ChoiceRule& rule,
                                 std::span<SampleRng* const> generators);

// ln p of a token per row, at temperature 1: [row, token], [row] -> [row]
std::vector<double> log_probs_of(const at::Tensor& logits, const std::vector<Index>& tokens);

}  // namespace diopter::engine
