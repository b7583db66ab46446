// The tokens of answers and foils that metrics read.
#pragma once

#include <ATen/core/Tensor.h>

#include <diopter/prompts.hpp>

namespace diopter::engine {

// int64 [prompt, choice], -1 where a row has fewer choices. Error when the prompts lack the column, a row has no
// choice, or a choice is several tokens.
at::Tensor answer_tokens(const Prompts& rows, Text column, Text metric);

// ln sum over a row's choices of exp(logit): a set of answers counts as one. [n, choice] -> double [n]
at::Tensor log_sum_of_choices(const at::Tensor& logits, const at::Tensor& tokens);

}  // namespace diopter::engine
