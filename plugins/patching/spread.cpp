#include "spread.hpp"

#include <ATen/ATen.h>

#include <string>

namespace diopter::patching {
namespace {

constexpr Index kFewPrompts = 10;

void log_interval(Log& log, const std::string& of, const Interval& interval, const Labels& labels) {
  log.tensor(of + "_low", interval.low, labels);
  log.tensor(of + "_high", interval.high, labels);
}

}  // namespace

Spread::Spread(Context& ctx, Index prompts) : keep_(ctx.params().get<bool>("keep_prompts")) {
  const double level = ctx.params().get<double>("intervals");
  if (level == 0) return;
  bootstrap_.emplace(prompts, ctx.params().get<Index>("bootstrap"), level, ctx.rng("bootstrap"));
  if (prompts < kFewPrompts) {
    ctx.log().warn("few-prompts", "intervals over " + std::to_string(prompts) +
                                      (prompts == 1 ? " prompt" : " prompts") +
                                      " are too narrow: a bootstrap needs ten or more that are independent");
  }
}

void Spread::log(Log& log, const Patched& patched, const Labels& labels) const {
  if (bootstrap_) {
    log_interval(log, "value", bootstrap_->mean(patched.values), labels);
    log_interval(log, "change", bootstrap_->mean(patched.values - patched.base), labels);
    if (patched.normalised)
      log_interval(log, "effect", bootstrap_->normalised(patched.values, patched.base, patched.donor), labels);
  }
  if (keep_) log.tensor("per_prompt", patched.values.to(at::kFloat), labels);
}

void Spread::log_runs(Log& log, const Sides& sides, const Tensor& base, const Tensor& donor, Text metric) const {
  const auto log_run = [&](const std::string& name, const Tensor& values, const Prompts& rows) {
    log.tensor(name + "_metric", values.mean(), {.metric = metric});
    if (keep_) log.tensor(name + "_per_prompt", values.to(at::kFloat), {.prompts = rows, .metric = metric});
  };
  log_run(sides.base_name(), base, sides.base);
  log_run(sides.donor_name(), donor, sides.donor);
}

}  // namespace diopter::patching
