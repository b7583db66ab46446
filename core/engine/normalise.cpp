#include "engine/normalise.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/metric_values.hpp"

namespace diopter::engine {
namespace {

// In float32 normalised values keep two digits; a lower precision cannot promise that (what it loses is measured and
// recorded), there the gap only has to stand out of the rounding.
double least_gap(const Gap& gap) { return (gap.rounding > 1e-4 ? 4 : 100) * gap.rounding * gap.largest_logit; }

// The gap as people say it: clean - corrupted where that is known.
struct Worded {
  std::string name;
  double gap;
};

Worded worded(const Gap& gap, double donor_minus_base) {
  if (gap.into == PromptsData::Side::Corrupted) return {"clean - corrupted", donor_minus_base};
  if (gap.into == PromptsData::Side::Clean) return {"clean - corrupted", -donor_minus_base};
  return {"donor - base", donor_minus_base};
}

}  // namespace

at::Tensor normalised(const at::Tensor& values, const Gap& gap, const MetricSpec& metric, RunMonitor& monitor) {
  const at::Tensor difference = gap.donor - gap.base;  // [prompt]
  const double mean = difference.nanmean().item<double>();
  const Worded words = worded(gap, mean);
  const bool logits = !metric.custom && in_logits(metric.name);
  const double least = logits ? std::max(metric.min_gap, least_gap(gap)) : metric.min_gap;
  if (!(std::abs(mean) >= least)) {
    monitor.warn("gap", fmt::format("{} of {} is {:.3g}, which is under {:.3g}: values are given raw, not normalised",
                                    words.name, metric.name, words.gap, least));
    return {};
  }
  const at::Tensor known = difference.masked_select(difference.isnan().logical_not());
  const double spread = known.numel() > 1 ? known.std().item<double>() : 0;
  if (!metric.custom && higher_is_better(metric.name) && words.name == "clean - corrupted" && words.gap < 0) {
    monitor.warn("gap", fmt::format("{} of {} is {:.3g}: the clean prompts favour the answer less than the corrupted "
                                    "ones, so the normalised map is turned around",
                                    words.name, metric.name, words.gap));
  } else if (spread > std::abs(mean)) {
    monitor.warn("gap", fmt::format("{} of {} is {:.3g}, spread over prompts {:.3g}: the normalised map is noise",
                                    words.name, metric.name, words.gap, spread));
  }
  const at::Tensor there = values.isnan().logical_not();
  const auto mean_over = [&](const at::Tensor& of_prompts) {
    return at::where(there, of_prompts, at::zeros({}, at::kDouble)).sum(-1) / there.sum(-1);
  };
  const at::Tensor base = mean_over(gap.base), between = mean_over(gap.donor) - base;
  const at::Tensor ratio = (mean_over(values) - base) / between;
  return at::where(between.abs() >= least, ratio, at::full({}, std::nan(""), at::kDouble));
}

}  // namespace diopter::engine
