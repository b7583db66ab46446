// How patched results vary over prompts: what the kinds of this plugin log beside their means.
#pragma once

#include <diopter/plugin.hpp>

#include <optional>

#include "sides.hpp"

namespace diopter::patching {

// Parameters that the kinds share.
inline constexpr Row kIntervals = param(
    "intervals", Float,
    {.fallback = "0.0", .min = 0, .max = 0.999, .doc = "Level of bootstrap intervals over prompts (0.95); 0: none."});
inline constexpr Row kBootstrap =
    param("bootstrap", Int, {.fallback = "1000", .min = 100, .max = 1000000, .doc = "Resamples of an interval."});
inline constexpr Row kKeepPrompts =
    param("keep_prompts", Bool, {.fallback = "false", .doc = "Keep every prompt's own results too."});

// One cell's results of one metric, in any number of dimensions.
struct Patched {
  Tensor values;       // double [..., prompt], NaN where a prompt has no such cell
  Tensor base, donor;  // double [prompt]
  bool normalised;     // whether an effect is given
};

// For all metrics and all calls of one run the same prompts are drawn.
class Spread {
 public:
  // Reads the parameters above. `prompts`: how many there are. Warns "few-prompts" below ten of them.
  Spread(Context& ctx, Index prompts);

  // As far as asked for: value_low, value_high, change_low, ..., effect_low, ... [...]; per_prompt [..., prompt].
  // `labels` are those of the values.
  void log(Log& log, const Patched& patched, const Labels& labels) const;
  // The two plain runs: clean_metric and corrupted_metric; clean_per_prompt, corrupted_per_prompt if prompts are kept.
  void log_runs(Log& log, const Sides& sides, const Tensor& base, const Tensor& donor, Text metric) const;

 private:
  std::optional<Bootstrap> bootstrap_;
  bool keep_;
};

}  // namespace diopter::patching
