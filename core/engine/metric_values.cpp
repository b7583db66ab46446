#include "engine/metric_values.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "engine/answer_tokens.hpp"

namespace diopter::engine {
namespace {

template <std::size_t n>
bool one_of(std::string_view name, const std::array<std::string_view, n>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

at::Tensor choice_logits(const at::Tensor& logits, const at::Tensor& tokens) {
  return log_sum_of_choices(logits.gather(1, tokens.clamp_min(0)), tokens);
}

// Tokens with a strictly larger logit than the best choice.
at::Tensor rank(const at::Tensor& logits, const at::Tensor& tokens) {
  const at::Tensor chosen =
      logits.gather(1, tokens.clamp_min(0)).masked_fill(tokens < 0, -std::numeric_limits<double>::infinity());
  return (logits > chosen.amax(1, true)).sum(1).to(at::kDouble);
}

}  // namespace

bool reads_answer(std::string_view metric) {
  return one_of<7>(metric, {"logit_diff", "logit", "log_prob", "joint_log_prob", "prob", "prob_diff", "rank"});
}
bool reads_foil(std::string_view metric) { return one_of<2>(metric, {"logit_diff", "prob_diff"}); }
bool reads_next_token(std::string_view metric) { return metric == "loss"; }
bool reads_vocabulary(std::string_view metric) { return !in_logits(metric); }
bool higher_is_better(std::string_view metric) { return reads_answer(metric) && metric != "rank"; }
bool in_logits(std::string_view metric) { return one_of<2>(metric, {"logit_diff", "logit"}); }

at::Tensor divergence(const at::Tensor& log_p, const at::Tensor& log_q) {
  const at::Tensor p = log_p.exp();
  return at::where(p != 0, p * (log_p - log_q), at::zeros({}, p.options())).sum(-1);
}

at::Tensor entropy_of(const at::Tensor& log_p) {
  const at::Tensor p = log_p.exp();
  return -at::where(p != 0, p * log_p, at::zeros({}, p.options())).sum(-1);
}

at::Tensor metric_values(std::string_view metric, const MetricInputs& in) {
  if (metric == "rank") return rank(in.logits, in.answer);
  if (metric == "logit") return choice_logits(in.logits, in.answer);
  if (metric == "logit_diff") return choice_logits(in.logits, in.answer) - choice_logits(in.logits, in.foil);
  const at::Tensor total = in.logits.logsumexp(1);
  if (metric == "log_prob" || metric == "joint_log_prob") return choice_logits(in.logits, in.answer) - total;
  if (metric == "prob") return (choice_logits(in.logits, in.answer) - total).exp();
  if (metric == "prob_diff") {
    return (choice_logits(in.logits, in.answer) - total).exp() - (choice_logits(in.logits, in.foil) - total).exp();
  }
  if (metric == "loss") return total - in.logits.gather(1, in.next.unsqueeze(1)).squeeze(1);
  const at::Tensor log_p = in.logits - total.unsqueeze(1);
  if (metric == "entropy") return entropy_of(log_p);
  DIOPTER_CHECK(metric == "kl_to_clean" || metric == "kl_to_unpatched",
                fmt::format("no formula for metric '{}'", metric));
  return divergence(in.reference_log_probs, log_p);
}

}  // namespace diopter::engine
