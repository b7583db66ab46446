#include "engine/metric_rows.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/answer_tokens.hpp"

namespace diopter::engine {

bool MetricRows::can_read(const at::Tensor& logits) {
  const at::ScalarType dtype = logits.scalar_type();
  return logits.is_cpu() && (dtype == at::kFloat || dtype == at::kBFloat16 || dtype == at::kHalf);
}

MetricRows::MetricRows(const at::Tensor& logits) : logits_(logits.to(at::kFloat).contiguous()) {
  for (Index i = 0; i < logits_.size(0); ++i) {
    sums_.push_back(sums_of(row(i)));
    regular_ = regular_ && sums_.back().regular();
  }
}

at::Tensor MetricRows::columns(const at::Tensor& which, const at::Tensor& tokens) const {
  at::Tensor out = at::zeros(tokens.sizes(), at::kDouble);
  const auto rows = which.accessor<Index, 1>();
  const auto ids = tokens.accessor<Index, 2>();
  auto to = out.accessor<double, 2>();
  for (Index i = 0; i < tokens.size(0); ++i) {
    for (Index n = 0; n < tokens.size(1); ++n) {
      if (ids[i][n] >= 0) to[i][n] = row(rows[i]).logits[ids[i][n]];
    }
  }
  return out;
}

at::Tensor MetricRows::values(std::string_view metric, const at::Tensor& which, const MetricInputs& in,
                              const MetricRows* reference, const at::Tensor& entries) const {
  const Index count = which.size(0);
  const Index* rows = which.const_data_ptr<Index>();
  at::Tensor out = at::empty({count}, at::kDouble);
  double* to = out.mutable_data_ptr<double>();
  if (metric == "entropy") {
    for (Index i = 0; i < count; ++i) to[i] = sums_[static_cast<std::size_t>(rows[i])].entropy();
    return out;
  }
  if (reference != nullptr) {
    const Index* entry = entries.const_data_ptr<Index>();
    for (Index i = 0; i < count; ++i) {
      to[i] = divergence(reference->row(entry[i]), reference->sums_[static_cast<std::size_t>(entry[i])], row(rows[i]),
                         sums_[static_cast<std::size_t>(rows[i])]);
    }
    return out;
  }
  if (metric == "rank") {
    const at::Tensor none = at::full({}, -std::numeric_limits<double>::infinity(), at::kDouble);
    const at::Tensor best = at::where(in.answer >= 0, columns(which, in.answer), none).amax(1);
    for (Index i = 0; i < count; ++i)
      to[i] = static_cast<double>(count_above(row(rows[i]), static_cast<float>(best.const_data_ptr<double>()[i])));
    return out;
  }
  for (Index i = 0; i < count; ++i) {
    const LogitSums& sums = sums_[static_cast<std::size_t>(rows[i])];
    to[i] = static_cast<double>(sums.most) + std::log(sums.total);
  }
  if (metric == "loss") return out - columns(which, in.next.unsqueeze(1)).squeeze(1);
  const at::Tensor answer = log_sum_of_choices(columns(which, in.answer), in.answer) - out;
  if (metric == "prob") return answer.exp();
  if (metric == "prob_diff") return answer.exp() - (log_sum_of_choices(columns(which, in.foil), in.foil) - out).exp();
  return answer;  // log_prob, joint_log_prob
}

}  // namespace diopter::engine
