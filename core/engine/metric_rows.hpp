// The metrics that read the whole vocabulary, from rows of float32 logits on the CPU: one pass a row, no copy in
// double.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>
#include <vector>

#include "engine/logit_row.hpp"
#include "engine/metric_values.hpp"

namespace diopter::engine {

class MetricRows {
 public:
  // Whether these logits can be read so: float32, bfloat16 or float16, on the CPU.
  static bool can_read(const at::Tensor& logits);
  // [n, d_vocab]; kept as float32.
  explicit MetricRows(const at::Tensor& logits);

  bool regular() const noexcept { return regular_; }  // else these numbers mean nothing: metric_values() says what then
  // metric_values() of the rows `which`, int64 [k]; `inputs` for those k, without logits and reference. `reference`:
  // of a KL metric, and `entries` int64 [k] which of its rows; both regular.
  at::Tensor values(std::string_view metric, const at::Tensor& which, const MetricInputs& inputs,
                    const MetricRows* reference, const at::Tensor& entries) const;  // double [k]

 private:
  LogitRow row(Index i) const { return {logits_.const_data_ptr<float>() + i * logits_.size(1), logits_.size(1)}; }
  at::Tensor columns(const at::Tensor& which, const at::Tensor& tokens) const;  // double [k, choice]

  at::Tensor logits_;  // float [n, d_vocab], contiguous
  std::vector<LogitSums> sums_;
  bool regular_ = true;
};

}  // namespace diopter::engine
