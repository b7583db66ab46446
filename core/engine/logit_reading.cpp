#include "engine/logit_reading.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "engine/metric_values.hpp"

namespace diopter::engine {

Readout read_logits(const Tensor& logits, const Tensor& from, const Tensor& targets, const Read& what) {
  const Tensor wide = logits.to(at::kDouble), log_p = wide.log_softmax(-1);
  Readout out;
  if (what.top_k > 0) std::tie(out.log_prob, out.token) = log_p.topk(what.top_k, -1);
  if (what.entropy) out.entropy = entropy_of(log_p);
  if (from.defined()) out.kl = divergence(from.to(at::kDouble).log_softmax(-1), log_p);
  if (!targets.defined()) return out;

  const Tensor absent = targets < 0, index = targets.clamp_min(0), own = wide.gather(1, index);
  std::vector<Tensor> ranks;
  for (Index n = 0; n < targets.size(1); ++n) ranks.push_back((wide > own.narrow(1, n, 1)).sum(1));
  const Tensor rank = ranks.empty() ? at::zeros_like(own) : at::stack(ranks, 1).to(at::kDouble);
  out.target_logit = own.masked_fill(absent, std::nan(""));
  out.target_log_prob = log_p.gather(1, index).masked_fill(absent, std::nan(""));
  out.target_rank = rank.masked_fill(absent, std::nan(""));
  return out;
}

}  // namespace diopter::engine
