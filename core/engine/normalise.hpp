// Normalised cells, and the warnings about gaps that make them noise.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include <diopter_host/backends.hpp>

namespace diopter::engine {

// The gap between base and donor that normalisation divides by.
struct Gap {
  at::Tensor base, donor;                             // double [prompt]
  PromptsData::Side into = PromptsData::Side::Whole;  // which side the base run read
  double largest_logit = 0;                           // scale of rounding errors
  double rounding = 3e-6;                             // of a forward in the model's dtype, as a share of it
};

// double [axis...]: (mean x - mean base) / (mean donor - mean base), means over the prompts that the cell has (ratio of
// means). Undefined, with a warning "gap", when the means of all prompts differ by less than min_gap or, for metrics in
// logits, 100 times the rounding noise (4 times in bfloat16 and float16). Warns also about a gap of the wrong sign, or
// smaller than its spread over prompts.
at::Tensor normalised(const at::Tensor& values, const Gap& gap, const MetricSpec& metric, RunMonitor& monitor);

}  // namespace diopter::engine
