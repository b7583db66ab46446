#include <diopter/statistics.hpp>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <diopter/error.hpp>

namespace diopter {
inline namespace abi1 {
namespace {

constexpr Index kNumbersAtOnce = 4 << 20;  // doubles of one intermediate: 32 MB

Tensor doubles(const Tensor& x) { return x.detach().to(at::kCPU, at::kDouble); }

Tensor where_known(const Tensor& known, const Tensor& x) { return at::where(known, x, at::zeros({}, at::kDouble)); }

// [resample, prompt] x [cell, prompt] -> [resample, cell]
Tensor sums(const Tensor& weights, const Tensor& values) { return weights.mm(values.t()); }

// Of resamples without a prompt that counts: NaN, as 0 / 0.
Tensor means(const Tensor& weights, const Tensor& values) {
  const Tensor known = values.isnan().logical_not();
  if (known.all().item<bool>()) return sums(weights, values) / static_cast<double>(values.size(1));
  return sums(weights, where_known(known, values)) / sums(weights, known.to(at::kDouble));
}

void require_prompts(const Tensor& column, Index prompts, const char* what) {
  if (column.dim() > 0 && column.size(-1) == prompts) return;
  throw Error(std::string("bootstrap: the ") + what + " are of " +
              (column.dim() == 0 ? "no" : std::to_string(column.size(-1))) + " prompts, but " +
              std::to_string(prompts) + " are drawn; the last dimension is the prompts'");
}

// Entries where both are numbers.
std::pair<Tensor, Tensor> both_known(const Tensor& x, const Tensor& y) {
  if (x.numel() != y.numel()) {
    throw Error("a correlation of " + std::to_string(x.numel()) + " with " + std::to_string(y.numel()) +
                " numbers; give columns of equal length");
  }
  const Tensor a = doubles(x).flatten(), b = doubles(y).flatten();
  const Tensor known = a.isfinite() & b.isfinite();
  return {a.masked_select(known), b.masked_select(known)};
}

double pearson(const Tensor& x, const Tensor& y) {
  if (x.numel() < 2) return kNone;
  const Tensor a = x - x.mean(), b = y - y.mean();
  const double scale = std::sqrt(a.square().sum().item<double>() * b.square().sum().item<double>());
  return scale > 0 ? std::clamp((a * b).sum().item<double>() / scale, -1.0, 1.0) : kNone;
}

// 1, 2.5, 2.5, 4: ties have the mean of the ranks they share.
Tensor ranks(const Tensor& x) {
  const Tensor sorted = std::get<0>(x.sort());
  const Tensor below = at::searchsorted(sorted, x), up_to = at::searchsorted(sorted, x, false, true);
  return (below + up_to + 1).to(at::kDouble) / 2;
}

}  // namespace

Bootstrap::Bootstrap(Index prompts, Index resamples, double level, at::Generator rng)
    : prompts_(prompts), resamples_(resamples), level_(level) {
  if (prompts < 1 || resamples < 1 || !(level > 0 && level < 1)) {
    throw Error("bootstrap: " + std::to_string(resamples) + " resamples of " + std::to_string(prompts) +
                " prompts at level " + std::to_string(level) +
                "; give at least one of each and a level between 0 and 1");
  }
  seed_ = static_cast<std::uint64_t>(at::randint(std::numeric_limits<Index>::max(), {1}, rng, at::kLong).item<Index>());
  step_ = std::clamp<Index>(kNumbersAtOnce / prompts, 1, resamples);
  if (step_ == resamples_) for_each_draw([this](const Tensor& weights) { weights_ = weights; });
}

// The same draws each time, in the same portions.
void Bootstrap::for_each_draw(const std::function<void(const Tensor&)>& use) const {
  if (weights_.defined()) return use(weights_);
  at::Generator generator = at::detail::createCPUGenerator(seed_);
  for (Index first = 0; first < resamples_; first += step_) {
    const Index count = std::min(step_, resamples_ - first);
    const Tensor drawn = at::randint(prompts_, {count, prompts_}, generator, at::kLong);
    use(at::zeros({count, prompts_}, at::kDouble)
            .scatter_add_(1, drawn, at::ones({1, 1}, at::kDouble).expand_as(drawn)));
  }
}

Interval Bootstrap::interval(const Tensor& values, const Statistic& statistic) const {
  require_prompts(values, prompts_, "values");
  const Tensor cells = doubles(values).reshape({-1, prompts_});
  const Index at_once = std::max<Index>(1, kNumbersAtOnce / std::max(resamples_, prompts_));
  const Tensor ends = at::tensor({(1 - level_) / 2, (1 + level_) / 2}, at::kDouble);
  std::vector<Tensor> parts{at::empty({2, 0}, at::kDouble)};
  for (Index first = 0; first < cells.size(0); first += at_once) {
    const Tensor some = cells.narrow(0, first, std::min(at_once, cells.size(0) - first));
    std::vector<Tensor> results;  // [resample, cell]
    for_each_draw([&](const Tensor& weights) { results.push_back(statistic(weights, some)); });
    parts.push_back(at::nanquantile(at::cat(results), ends, 0));
  }
  std::vector<Index> shape = values.sizes().vec();
  shape.pop_back();
  const Tensor both = at::cat(parts, 1);
  return {both[0].reshape(shape), both[1].reshape(shape)};
}

Interval Bootstrap::mean(const Tensor& values) const { return interval(values, means); }

Interval Bootstrap::normalised(const Tensor& values, const Tensor& base, const Tensor& donor) const {
  require_prompts(base, prompts_, "base values");
  require_prompts(donor, prompts_, "donor values");
  const Tensor from = doubles(base), to = doubles(donor), paired = (from + to).isnan().logical_not();
  return interval(values, [&](const Tensor& weights, const Tensor& cells) {
    const Tensor known = cells.isnan().logical_not() & paired;
    // The counts cancel in the ratio: sums do.
    if (known.all().item<bool>()) {
      const Tensor base_sum = weights.mv(from).unsqueeze(1), donor_sum = weights.mv(to).unsqueeze(1);
      return (sums(weights, cells) - base_sum) / (donor_sum - base_sum);
    }
    const Tensor base_sum = sums(weights, where_known(known, from)), donor_sum = sums(weights, where_known(known, to));
    return (sums(weights, where_known(known, cells)) - base_sum) / (donor_sum - base_sum);
  });
}

double correlation(const Tensor& x, const Tensor& y) {
  const auto [a, b] = both_known(x, y);
  return pearson(a, b);
}

double rank_correlation(const Tensor& x, const Tensor& y) {
  const auto [a, b] = both_known(x, y);
  return pearson(ranks(a), ranks(b));
}

}  // namespace abi1
}  // namespace diopter
