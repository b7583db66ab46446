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

MetricReader::Reference MetricReader::reference(const at::Tensor& logits) {
  Reference out{.logits = logits, .rows = {}};
  if (!logits.defined() || !MetricRows::can_read(logits)) return out;
  out.rows.emplace(logits);
  if (!out.rows->regular()) out.rows.reset();
  return out;
}

void MetricReader::compare_with(const at::Tensor& clean, const at::Tensor& unpatched) {
  clean_ = reference(clean);
  unpatched_ = reference(unpatched);
}

const MetricReader::Reference* MetricReader::reference_of(const Reading& reading) const {
  if (!reading.spec->name.starts_with("kl_to_")) return nullptr;
  const Reference& found = reading.spec->name == "kl_to_clean" ? clean_ : unpatched_;
  DIOPTER_CHECK(found.logits.defined(), "a KL metric is read without its reference");
  return &found;
}

bool MetricReader::needs_next_token() const {
  return std::any_of(readings_.begin(), readings_.end(), [](const Reading& reading) { return reading.next.defined(); });
}

bool MetricReader::reads_vocabulary() const {
  return std::any_of(readings_.begin(), readings_.end(),
                     [](const Reading& reading) { return !reading.spec->custom && !in_logits(reading.spec->name); });
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

// Everything of a metric at these points but the logits and the reference.
MetricInputs MetricReader::inputs(const Reading& reading, const at::Tensor& points) const {
  const at::Tensor entries = reading.entry.index_select(0, points);
  MetricInputs in{.logits = {}, .answer = {}, .foil = {}, .next = {}, .reference_log_probs = {}};
  if (reading.answer.defined()) in.answer = reading.answer.index_select(0, entries);
  if (reading.foil.defined()) in.foil = reading.foil.index_select(0, entries);
  if (reading.next.defined()) in.next = reading.next.index_select(0, entries);
  return in;
}

at::Tensor MetricReader::answer_values(const Reading& reading, const SeenLogits& seen, const at::Tensor& which) const {
  MetricInputs in = inputs(reading, seen.point.index_select(0, which));
  const Index choices = in.answer.size(1);
  const at::Tensor tokens = in.foil.defined() ? at::cat({in.answer, in.foil}, 1) : in.answer;
  in.logits = seen.token_logits(which, tokens.clamp_min(0)).to(at::kDouble);
  // Only these columns exist here, so the tokens are their own places.
  const at::Tensor place = at::arange(tokens.size(1), tokens.options()).expand_as(tokens).masked_fill(tokens < 0, -1);
  in.answer = place.narrow(1, 0, choices);
  if (in.foil.defined()) in.foil = place.narrow(1, choices, tokens.size(1) - choices);
  return metric_values(reading.spec->name, in);
}

SeenLogits MetricReader::seen(const ForwardResult& run) const {
  return {.point = at::arange(points_.size(), points_.row.options()),
          .logits = [this, run](const at::Tensor& which) { return run.logits(some(which)); },
          .token_logits = [this, run](const at::Tensor& which,
                                      const at::Tensor& tokens) { return run.token_logits(some(which), tokens); }};
}

// Of the rows `which` of a piece of `logits`, seen at `points`: double [which].
at::Tensor MetricReader::wide_values(const Reading& reading, const at::Tensor& logits,
                                     const std::optional<MetricRows>& fast, const at::Tensor& points,
                                     const at::Tensor& which) const {
  const at::Tensor at = points.index_select(0, which);
  const Reference* reference = reference_of(reading);
  MetricInputs in = inputs(reading, at);
  if (fast && (reference == nullptr || reference->rows))
    return fast->values(reading.spec->name, which, in, reference != nullptr ? &*reference->rows : nullptr, at);
  in.logits = logits.index_select(0, which).to(at::kDouble);
  if (reference != nullptr)
    in.reference_log_probs = reference->logits.index_select(0, at).to(at::kDouble).log_softmax(-1);
  return metric_values(reading.spec->name, in);
}

std::vector<at::Tensor> MetricReader::values_at(const SeenLogits& seen) const {
  const Index count = seen.point.size(0);
  std::vector<at::Tensor> out(readings_.size());
  std::vector<std::size_t> wide;  // those that need the whole vocabulary
  for (std::size_t m = 0; m < readings_.size(); ++m) {
    const Reading& reading = readings_[m];
    out[m] = at::full({count}, std::nan(""), seen.point.options().dtype(at::kDouble));
    if (reading.spec->custom || count == 0) continue;
    if (!in_logits(reading.spec->name)) {
      wide.push_back(m);
      continue;
    }
    const at::Tensor which = reading.entry.index_select(0, seen.point).ge(0).nonzero().squeeze(1);
    if (which.size(0) > 0) out[m].index_put_({which}, answer_values(reading, seen, which));
  }
  for (Index first = 0; !wide.empty() && first < count;) {
    const Index chunk = std::min(count - first, std::max<Index>(1, kChunkNumbers / vocabulary_));
    const at::Tensor rows = at::arange(first, first + chunk, seen.point.options());
    const at::Tensor logits = seen.logits(rows), points = seen.point.narrow(0, first, chunk);
    std::optional<MetricRows> fast;
    if (MetricRows::can_read(logits)) fast.emplace(logits);
    if (fast && !fast->regular()) fast.reset();
    for (const std::size_t m : wide) {
      const at::Tensor which = readings_[m].entry.index_select(0, points).ge(0).nonzero().squeeze(1);
      if (which.size(0) == 0) continue;
      out[m].index_put_({rows.index_select(0, which)}, wide_values(readings_[m], logits, fast, points, which));
    }
    first += chunk;
  }
  for (at::Tensor& values : out) values = values.to(at::kCPU);
  return out;
}

at::Tensor MetricReader::by_row(std::size_t metric, const at::Tensor& by_point) const {
  const Reading& reading = readings_[metric];
  if (reading.points.size(0) == 0) return at::full({batch_.size()}, std::nan(""), at::kDouble);
  return mean_by_row(by_point.index_select(0, reading.points.to(at::kCPU)), reading.rows.to(at::kCPU));
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
  const std::vector<at::Tensor> by_point = values_at(seen(run));
  std::vector<at::Tensor> out;
  for (std::size_t m = 0; m < readings_.size(); ++m) {
    const bool custom = readings_[m].spec->custom && readings_[m].points.size(0) > 0;
    out.push_back(custom ? custom_values(readings_[m], run) : by_row(m, by_point[m]));
  }
  return out;
}

}  // namespace diopter::engine
