// The formulas of the metrics, at single positions. Everything is double; logits [n, d_vocab].
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include <diopter/base.hpp>

namespace diopter::engine {

// What one position's metric is made from; undefined where the metric needs none.
struct MetricInputs {
  at::Tensor logits;               // double [n, d_vocab]
  at::Tensor answer, foil;         // int64 [n, choice], -1 pads
  at::Tensor next;                 // int64 [n]
  at::Tensor reference_log_probs;  // double [n, d_vocab]
};

bool reads_answer(std::string_view metric);  // the prompts' column "answer"
bool reads_foil(std::string_view metric);    // the prompts' column "foil"
bool reads_next_token(std::string_view metric);
bool reads_vocabulary(std::string_view metric);  // more than the logits of answer and foil
bool higher_is_better(std::string_view metric);  // for the answer
bool in_logits(std::string_view metric);         // its unit is the logit

at::Tensor metric_values(std::string_view metric, const MetricInputs& inputs);  // double [n]

// sum p (ln p - ln q) over the last axis; where p is 0 nothing is added. NaN stays NaN.
at::Tensor divergence(const at::Tensor& log_p, const at::Tensor& log_q);
at::Tensor entropy_of(const at::Tensor& log_p);

}  // namespace diopter::engine
