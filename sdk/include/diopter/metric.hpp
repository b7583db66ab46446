// One number per prompt, read off the logits.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <diopter/positions.hpp>

namespace diopter {
inline namespace abi1 {

class Prompts;
struct MetricSpec;

class DIOPTER_API Metric {
 public:
  // logit_diff (answer - foil, logit), logit, log_prob (nat), joint_log_prob, prob, prob_diff, rank (0 = best),
  // kl_to_clean, kl_to_unpatched (nat), entropy (nat), loss (nat); read at each row's `at` (default: its last real
  // token). A set of answers counts as the log-sum-exp of its logits. An unknown name is an Error with the nearest.
  static Metric named(Text name, Positions at = {-1});
  // `function` gets the logits at `at`, [prompt, d_vocab] (or [prompt, n, d_vocab]), and returns [prompt].
  static Metric custom(Text name, std::function<Tensor(const Tensor& logits, const Prompts& rows)> function,
                       Positions at = {-1});

  Text name() const;
  const MetricSpec& spec() const { return *spec_; }
  explicit Metric(std::shared_ptr<const MetricSpec> spec) : spec_(std::move(spec)) {}

 private:
  std::shared_ptr<const MetricSpec> spec_;
};

}  // namespace abi1
}  // namespace diopter
