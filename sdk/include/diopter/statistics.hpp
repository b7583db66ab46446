// How sure a mean over prompts is, and how well two columns of numbers agree.
//
// Everything is computed in double on the CPU. Pure functions of their arguments and of the generator's state; [any]
// thread, each Bootstrap on one at a time.
#pragma once

#include <cstdint>
#include <functional>

#include <diopter/base.hpp>

namespace at {
struct Generator;
}

namespace diopter {
inline namespace abi1 {

struct Interval {
  Tensor low, high;  // double, the shape of what was asked; NaN where no resample has a number
};

// The percentile bootstrap over prompts (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13): as
// many prompts are drawn with replacement, many times; the interval holds the middle share `level` of the results,
// with linear interpolation between them. A prompt is drawn with everything that belongs to it, and all calls on one
// object use the same draws: base, donor and patched values of several calls, cells and metrics vary together.
//
// It says how much the result would change with other prompts of the same kind, if prompts are independent of each
// other. Of fewer than about ten prompts it is too narrow.
class DIOPTER_API Bootstrap {
 public:
  // Draws `prompts` of `prompts`, `resamples` times; takes one number from `rng`. Error unless prompts >= 1, resamples
  // >= 1 and 0 < level < 1.
  Bootstrap(Index prompts, Index resamples, double level, at::Generator rng);

  // Of the mean over the last dimension; values: [..., prompt], NaN where a prompt has none: it is left out there.
  Interval mean(const Tensor& values) const;
  // Of (mean value - mean base) / (mean donor - mean base): a ratio of means, each over the prompts that have all
  // three. base, donor: [prompt].
  Interval normalised(const Tensor& values, const Tensor& base, const Tensor& donor) const;

 private:
  // [resample, cell] of a slice of the cells
  using Statistic = std::function<Tensor(const Tensor& weights, const Tensor& values)>;
  Interval interval(const Tensor& values, const Statistic& statistic) const;
  void for_each_draw(const std::function<void(const Tensor& weights)>& use) const;

  Index prompts_, resamples_, step_;  // step_: resamples whose weights are held at once
  double level_;
  std::uint64_t seed_;
  Tensor weights_;  // [resample, prompt]: how often each prompt was drawn; undefined when too many to keep
};

// Pearson's correlation of two columns of equal length, over the entries where both are numbers. NaN for fewer than two
// of them, or where one column is constant.
DIOPTER_API double correlation(const Tensor& x, const Tensor& y);
// Spearman's: of the ranks, ties at their mean rank.
DIOPTER_API double rank_correlation(const Tensor& x, const Tensor& y);

}  // namespace abi1
}  // namespace diopter
