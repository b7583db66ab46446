#include "engine/metric_reader.hpp"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include <diopter/error.hpp>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "engine/metric_values.hpp"

namespace diopter::engine {
namespace {

constexpr Index kChunkNumbers = 8 << 20;  // logits in double held at once: 64 MB

at::Tensor called(const MetricSpec& metric, const at::Tensor& logits, const Prompts& rows) {
  std::string why;
  try {
    return metric.custom(logits, rows);
  } catch (const Stopped&) {
    throw;
  } catch (const c10::Error& error) {
    why = error.what_without_backtrace();
  } catch (const std::exception& error) {
    why = error.what();
  }
  throw Error(fmt::format("metric {} failed: {}", base::quoted(metric.name), why));
}

}  // namespace

Points MetricReader::some(const at::Tensor& which) const {
  return {points_.row.index_select(0, which), points_.pos.index_select(0, which)};
}

void MetricReader::compare_with(at::Tensor clean, at::Tensor unpatched) {
  clean_ = std::move(clean);
  unpatched_ = std::move(unpatched);
}

at::Tensor MetricReader::log_probs(const ForwardResult& run) const {
  return run.logits(points_).to(at::kDouble).log_softmax(-1);
}

double MetricReader::largest_logit(const ForwardResult& run) const {
  if (points_.size() == 0) return 0;
  const Index rows = std::min<Index>(points_.size(), 256);
  return run.logits(some(at::arange(rows, points_.row.options()))).abs().max().item<double>();
}

at::Tensor MetricReader::mean_by_row(const at::Tensor& values, const at::Tensor& rows) const {
  at::Tensor sum = at::zeros({batch_.size()}, values.options()), count = at::zeros_like(sum);
  sum.index_add_(0, rows, values);
  count.index_add_(0, rows, at::ones_like(values));
  return (sum / count).to(at::kCPU);  // 0 / 0: NaN where nothing is read
}

// Of the reading's points among `logits`, which are those from `first` on.
at::Tensor MetricReader::values(const Reading& reading, const at::Tensor& logits, Index first) const {
  const at::Tensor chosen =
      ((reading.points >= first) & (reading.points < first + logits.size(0))).nonzero().squeeze(1);
  const at::Tensor points = reading.points.index_select(0, chosen);
  MetricInputs in{.logits = logits.index_select(0, points - first),
                  .answer = {},
                  .foil = {},
                  .next = {},
                  .reference_log_probs = {}};
  if (reading.answer.defined()) in.answer = reading.answer.index_select(0, chosen);
  if (reading.foil.defined()) in.foil = reading.foil.index_select(0, chosen);
  if (reading.next.defined()) in.next = reading.next.index_select(0, chosen);
  const at::Tensor& reference = reading.spec->name == "kl_to_clean" ? clean_ : unpatched_;
  if (reading.spec->name.starts_with("kl_to_")) {
    DIOPTER_CHECK(reference.defined(), "a KL metric is read without its reference");
    in.reference_log_probs = reference.index_select(0, points);
  }
  at::Tensor out = at::full({reading.points.size(0)}, std::nan(""), logits.options());
  out.index_put_({chosen}, metric_values(reading.spec->name, in));
  return out;
}

at::Tensor MetricReader::answer_values(const Reading& reading, const ForwardResult& run) const {
  const Index choices = reading.answer.size(1);
  const at::Tensor tokens = reading.foil.defined() ? at::cat({reading.answer, reading.foil}, 1) : reading.answer;
  const at::Tensor logits = run.token_logits(some(reading.points), tokens.clamp_min(0)).to(at::kDouble);
  // Only these columns exist here, so the tokens are their own places.
  const at::Tensor place = at::arange(tokens.size(1), tokens.options()).expand_as(tokens).masked_fill(tokens < 0, -1);
  MetricInputs in{
      .logits = logits, .answer = place.narrow(1, 0, choices), .foil = {}, .next = {}, .reference_log_probs = {}};
  if (reading.foil.defined()) in.foil = place.narrow(1, choices, tokens.size(1) - choices);
  return metric_values(reading.spec->name, in);
}

at::Tensor MetricReader::custom_values(const Reading& reading, const ForwardResult& run) const {
  const at::Tensor logits = run.logits(some(reading.points));
  const Index slots = reading.at.slots;
  at::Tensor by_slot = at::full({batch_.size(), slots, logits.size(-1)}, std::nan(""), logits.options());
  Index next = 0;
  for (Index row = 0; row < batch_.size(); ++row) {
    for (Index slot = 0; slot < slots; ++slot) {
      if (reading.at.of[static_cast<std::size_t>(row)][static_cast<std::size_t>(slot)] == kUnset) continue;
      by_slot.select(0, row).select(0, slot).copy_(logits.select(0, next++));
    }
  }
  const at::Tensor values = called(*reading.spec, slots == 1 ? by_slot.squeeze(1) : by_slot, batch_.rows);
  if (!values.defined() || values.dim() != 1 || values.size(0) != batch_.size()) {
    throw Error(fmt::format(
        "metric {} returned {} where [{}] is required, one number per prompt", base::quoted(reading.spec->name),
        values.defined() ? fmt::format("[{}]", fmt::join(values.sizes(), ", ")) : "no tensor", batch_.size()));
  }
  return values.to(at::kCPU, at::kDouble);
}

std::vector<at::Tensor> MetricReader::read(const ForwardResult& run) const {
  std::vector<at::Tensor> by_point(readings_.size()), out(readings_.size());
  std::vector<std::size_t> wide;
  for (std::size_t m = 0; m < readings_.size(); ++m) {
    const Reading& reading = readings_[m];
    if (reading.points.size(0) == 0) {
      out[m] = at::full({batch_.size()}, std::nan(""), at::kDouble);
    } else if (reading.spec->custom) {
      out[m] = custom_values(reading, run);
    } else if (in_logits(reading.spec->name)) {
      by_point[m] = answer_values(reading, run);
    } else {
      wide.push_back(m);
    }
  }
  for (Index first = 0; !wide.empty() && first < points_.size();) {
    const Index vocabulary = run.vocabulary();
    const Index count = std::min(points_.size() - first, std::max<Index>(1, kChunkNumbers / vocabulary));
    const at::Tensor logits = run.logits(some(at::arange(first, first + count, points_.row.options()))).to(at::kDouble);
    for (const std::size_t m : wide) {
      const at::Tensor part = values(readings_[m], logits, first);
      by_point[m] = by_point[m].defined() ? at::where(part.isnan(), by_point[m], part) : part;
    }
    first += count;
  }
  for (std::size_t m = 0; m < readings_.size(); ++m) {
    if (by_point[m].defined()) out[m] = mean_by_row(by_point[m], readings_[m].rows);
  }
  return out;
}

}  // namespace diopter::engine
