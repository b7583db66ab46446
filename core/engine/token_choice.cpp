#include "engine/token_choice.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace diopter::engine {
namespace {

constexpr double kLeftOut = -std::numeric_limits<double>::infinity();

at::Tensor index_of_rows(const std::vector<Index>& values, at::Device device) {
  return at::tensor(at::ArrayRef<Index>(values), at::kLong).to(device);
}

at::Tensor top_k_kept(const at::Tensor& logits, Index k) {
  if (k >= logits.size(1)) return logits;
  const at::Tensor least = std::get<0>(at::topk(logits, k)).select(1, k - 1).unsqueeze(1);
  return logits.masked_fill(logits < least, kLeftOut);
}

at::Tensor top_p_kept(const at::Tensor& logits, double p) {
  const auto [sorted, order] = at::sort(logits, /*stable=*/true, /*dim=*/-1, /*descending=*/false);
  at::Tensor left_out = at::softmax(sorted, -1).cumsum(-1) <= 1 - p;
  left_out.select(1, left_out.size(1) - 1).fill_(false);  // the likeliest stays
  return logits.masked_fill(at::empty_like(left_out).scatter_(1, order, left_out), kLeftOut);
}

}  // namespace

at::Tensor kept_logits(const at::Tensor& logits, const ChoiceRule& rule) {
  at::Tensor kept = rule.temperature == 1 ? logits : logits / rule.temperature;
  if (rule.top_k > 0) kept = top_k_kept(kept, rule.top_k);
  if (rule.top_p < 1) kept = top_p_kept(kept, rule.top_p);
  return kept;
}

Index token_at(const at::Tensor& kept_row, double uniform) {
  const at::Tensor logits = kept_row.to(at::kCPU, at::kDouble).contiguous();
  const auto* begin = logits.const_data_ptr<double>();
  const auto* end = begin + logits.numel();
  double most = kLeftOut;
  for (const double* logit = begin; logit != end; ++logit) {
    if (std::isnan(*logit)) return kUnset;
    most = std::max(most, *logit);
  }
  if (!std::isfinite(most)) return kUnset;
  std::vector<double> cumulated;
  cumulated.reserve(static_cast<std::size_t>(logits.numel()));
  double sum = 0;
  for (const double* logit = begin; logit != end; ++logit) {
    if (*logit != kLeftOut) sum += std::exp(*logit - most);
    cumulated.push_back(sum);
  }
  // Rounding may bring uniform * sum up to the sum: then it is the last token that has a share.
  const double at = std::min(uniform * sum, std::nextafter(sum, 0.0));
  return std::upper_bound(cumulated.begin(), cumulated.end(), at) - cumulated.begin();
}

std::vector<Index> chosen_tokens(const at::Tensor& logits, const ChoiceRule& rule,
                                 std::span<SampleRng* const> generators) {
  std::vector<Index> tokens;
  if (rule.greedy()) {
    const at::Tensor best = at::argmax(logits, -1, /*keepdim=*/true);  // a NaN is its maximum
    const at::Tensor value = logits.gather(1, best).to(at::kCPU, at::kDouble), id = best.to(at::kCPU);
    for (Index row = 0; row < logits.size(0); ++row) {
      tokens.push_back(std::isfinite(value.const_data_ptr<double>()[row]) ? id.const_data_ptr<Index>()[row] : kUnset);
    }
    return tokens;
  }
  const at::Tensor kept = kept_logits(logits, rule);
  for (Index row = 0; row < logits.size(0); ++row)
    tokens.push_back(token_at(kept.select(0, row), generators[static_cast<std::size_t>(row)]->uniform()));
  return tokens;
}

std::vector<double> log_probs_of(const at::Tensor& logits, const std::vector<Index>& tokens) {
  const at::Tensor exact = logits.to(at::kDouble);
  const at::Tensor picked = exact.gather(1, index_of_rows(tokens, logits.device()).unsqueeze(1)).squeeze(1);
  const at::Tensor values = (picked - at::logsumexp(exact, 1)).to(at::kCPU);
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

}  // namespace diopter::engine
