#include "candidates.hpp"

#include <ATen/ATen.h>
#include <diopter/statistics.hpp>

#include <algorithm>

namespace diopter::patching {
namespace {

Tensor doubles(const std::vector<double>& values) { return at::tensor(at::ArrayRef<double>(values), at::kDouble); }

double mean_size(const Tensor& change) { return change.numel() > 0 ? change.abs().nanmean().item<double>() : kNone; }

}  // namespace

std::vector<Candidate> choose(const Tensor& attribution, const std::vector<Index>& layers, const Choosing& how,
                              at::Generator rng) {
  const Index neurons = attribution.size(1), all = attribution.numel();
  const Tensor flat = attribution.contiguous().flatten(), chance = at::randperm(all, rng, at::kLong);
  const Tensor order = how.score == Score::Direct ? flat.abs().argsort(true, 0, true) : chance;
  const Index top = std::min(how.top, all), control = std::min(how.control, all - top);

  std::vector<Candidate> out;
  std::vector<bool> taken(static_cast<std::size_t>(all), false);
  const auto take = [&](Index place, bool is_control) {
    taken[static_cast<std::size_t>(place)] = true;
    out.push_back(
        {layers[static_cast<std::size_t>(place / neurons)], place % neurons, flat[place].item<double>(), is_control});
  };
  for (Index i = 0; i < top; ++i) take(order[i].item<Index>(), false);
  for (Index i = 0; std::ssize(out) < top + control; ++i) {
    const Index place = chance[i].item<Index>();
    if (!taken[static_cast<std::size_t>(place)]) take(place, true);
  }
  return out;
}

Agreement agreement(const std::vector<Candidate>& candidates, const Tensor& change) {
  std::vector<double> predicted[2], exact[2];  // selected, control
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    predicted[candidates[i].control].push_back(candidates[i].attribution);
    exact[candidates[i].control].push_back(change[static_cast<Index>(i)].item<double>());
  }
  const Tensor selected = doubles(exact[0]), control = doubles(exact[1]);
  Agreement out{.correlation = correlation(doubles(predicted[0]), selected),
                .rank_correlation = rank_correlation(doubles(predicted[0]), selected),
                .control_correlation = correlation(doubles(predicted[1]), control),
                .control_rank_correlation = rank_correlation(doubles(predicted[1]), control),
                .selected_change = mean_size(selected),
                .control_change = mean_size(control),
                .control_above = kNone,
                .selected = selected.size(0),
                .controls = control.size(0)};
  if (out.controls > 0)
    out.control_above = (control.abs() >= selected.abs().nanmedian()).to(at::kDouble).mean().item<double>();
  return out;
}

}  // namespace diopter::patching
