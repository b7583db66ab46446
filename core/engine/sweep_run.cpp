#include "engine/sweep_run.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <diopter/error.hpp>

#include "base/hints.hpp"
#include "engine/answer_guard.hpp"
#include "engine/memory.hpp"
#include "engine/normalise.hpp"
#include "engine/precision_loss.hpp"

namespace diopter::engine {
namespace {

constexpr Index kChunkCells = 64;
constexpr double kVerifyTolerance = 10. / 3;  // roundings of a forward: in float32 1e-5 x max |logit|, raw metric

void check(const Sweep& sweep) {
  if (sweep.into.size() == 0) throw Error("the sweep has no prompts to patch into");
  if (sweep.metrics.empty() && sweep.observe.empty()) throw Error("the sweep has no metric and observes nothing");
  if (!sweep.edits.axes().empty())
    throw Error("the sweep's edits have a list of coefficients or vectors; take one of Edits::cells()");
  if (!sweep.observe.empty() && !sweep.on_chunk)
    throw Error("the sweep observes hook points, but has no on_chunk that would receive them");
}

// Numbers without a scale of their own to compare by: ranks jump at near-ties, custom metrics have any unit.
bool verifiable(const MetricSpec& metric) { return !metric.custom && metric.name != "rank"; }

at::Tensor joined(const std::deque<SweepBatch>& batches,
                  const std::vector<at::Tensor>& (SweepBatch::*of)() const noexcept, std::size_t m) {
  std::vector<at::Tensor> parts;
  for (const SweepBatch& batch : batches) {
    if ((batch.*of)().size() <= m) return {};
    parts.push_back((batch.*of)()[m]);
  }
  return at::cat(parts);
}

}  // namespace

SweepRun::SweepRun(Runner& runner, const Sweep& sweep, const TokenCodec* codec, const SessionOptions& options)
    : runner_(runner),
      sweep_(sweep),
      codec_(codec),
      options_(options),
      budget_(engine::memory_budget(options.memory_budget)) {
  runner.refuse_nested();
  check(sweep);
  const HookTable& hooks = runner.hooks();
  const Index longest = sweep.into.lengths().max().item<Index>();
  plan_.emplace(sweep, runner.info(), hooks, longest);
  for (const HookId id : plan_->points()) runner.monitor().check_edits(hooks[id]);
  std::vector<HookId> used = edited_points(sweep.edits, hooks, runner.monitor());
  used.insert(used.end(), plan_->points().begin(), plan_->points().end());
  if (!sweep.freeze.empty()) {
    for (const HookId id : hooks.resolve(sweep.freeze)) {
      runner.monitor().check_edits(hooks[id]);
      used.push_back(id);
    }
  }
  if (!sweep.observe.empty()) observed_ = hooks.resolve(sweep.observe);
  for (const HookId id : observed_) runner.monitor().check_observes(hooks[id]);
  used.insert(used.end(), observed_.begin(), observed_.end());
  for (const HookId id : used) path_.use(hooks.point(id));
  max_rows_ = rows_that_fit(runner.info(), longest, budget_);
  rows_ = row_batches(sweep.into, runner.info(), max_rows_);
  check_kept_values_fit();
  // What a hook has no dimension for is an Error before the first forward.
  const Place place{rows_.front(), runner.info(), hooks, codec, runner.values().device()};
  for (const HookId id : plan_->points()) Selection(plan_->cell(0).where, id, place);
}

// Donor, reference and frozen values stay for the whole sweep.
void SweepRun::check_kept_values_fit() const {
  const HookTable& hooks = runner_.hooks();
  const ChangeSpec& change = sweep_.change.spec();
  std::vector<HookId> kept;
  if (change.donor || change.op == ChangeSpec::Op::Freeze) kept = plan_->points();
  if (!sweep_.freeze.empty()) {
    for (const HookId id : hooks.resolve(sweep_.freeze)) kept.push_back(id);
  }
  std::vector<CaptureSize> sizes;
  for (const HookId id : kept) sizes.push_back({id, bytes_of(id)});
  check_capture_fits(sizes, hooks, budget_);
}

Index SweepRun::bytes_of(HookId id) const {
  const std::vector<Index> shape =
      runner_.hooks().shape(id, sweep_.into.size(), sweep_.into.lengths().max().item<Index>());
  return static_cast<Index>(runner_.values().dtype().itemsize()) *
         std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
}

LayerRank SweepRun::layer_rank(Index flat) const {
  LayerRank rank{.model = runner_.info().n_layers};
  for (std::size_t a = plan_->axes().size(); a-- > 0;) {
    const Axis& axis = plan_->axes()[a];
    const auto size = static_cast<Index>(std::max(axis.indices.size(), axis.reals.size()));
    if (axis.name == "layer") {
      rank.rank = flat % size;
      rank.count = size;
    }
    flat /= size;
  }
  return rank;
}

void SweepRun::start() {
  for (const RowBatch& rows : rows_) {
    batches_.emplace_back(runner_, sweep_, rows, plan_->points(), observed_, path_, codec_, max_rows_, options_);
    warn_answer_in_prompt(sweep_.metrics, rows, codec_, runner_.monitor());
  }
  values_.assign(sweep_.metrics.size(), {});
  for (at::Tensor& values : values_) values = at::full({plan_->cells(), sweep_.into.size()}, std::nan(""), at::kDouble);
  kept_.resize(observed_.size());
  Index bytes = 0;  // of what one cell observes
  for (const HookId id : observed_) bytes += bytes_of(id);
  chunk_cells_ = bytes == 0 ? kChunkCells : std::clamp<Index>(budget_ / 4 / bytes, 1, kChunkCells);
  counts_.cells = plan_->cells();
}

void SweepRun::run_cell(Index flat) {
  const CellSite site = plan_->cell(flat);
  std::vector<std::vector<at::Tensor>> observed(observed_.size());
  bool computed = false, skipped = false, changed = false, finite = true;
  for (SweepBatch& batch : batches_) {
    CellResult result = batch.cell(site, layer_rank(flat), Skipping::Allowed);
    for (std::size_t m = 0; m < values_.size(); ++m) {
      values_[m].select(0, flat).narrow(0, batch.batch().first, batch.batch().size()).copy_(result.values[m]);
    }
    for (std::size_t i = 0; i < observed.size(); ++i) observed[i].push_back(std::move(result.observed[i]));
    computed = computed || result.how == CellResult::How::Computed;
    skipped = skipped || result.how == CellResult::How::Skipped;
    finite = finite && result.finite;
    changed = changed || (result.how == CellResult::How::Computed && result.changed);
  }
  for (std::size_t i = 0; i < observed.size(); ++i) kept_[i].push_back(at::cat(observed[i]));
  counts_.computed += computed;
  counts_.skipped += !computed && skipped;
  unchanged_ += computed && !changed;
  broken_ += !finite;
  if (computed || skipped) computed_.push_back(flat);
}

void SweepRun::emit_chunk(Index end, bool last) {
  if (end - chunk_first_ < chunk_cells_ && !last) return;
  runner_.monitor().progress("cells", end, plan_->cells(),
                             counts_.skipped > 0 ? fmt::format("{} skipped", counts_.skipped) : std::string());
  if (sweep_.on_chunk) {
    auto data = std::make_shared<CaptureData>(CaptureData{
        .hooks = runner_.hooks(), .ids = observed_, .items = {}, .resid = {}, .logits = {}, .rows = sweep_.into});
    for (std::size_t i = 0; i < observed_.size(); ++i)
      data->items.emplace_back(runner_.hooks()[observed_[i]], at::stack(kept_[i]));
    Chunk chunk{.first = chunk_first_, .values = {}, .observed = Capture(std::move(data))};
    for (const at::Tensor& values : values_)
      chunk.values.push_back(values.narrow(0, chunk_first_, end - chunk_first_).clone());
    const Runner::Busy busy(runner_);
    sweep_.on_chunk(chunk);
  }
  for (auto& cells : kept_) cells.clear();
  chunk_first_ = end;
}

std::vector<at::Tensor> SweepRun::plain(Index flat) {
  const CellSite site = plan_->cell(flat);
  std::vector<std::vector<at::Tensor>> by_row(values_.size());
  for (const RowBatch& row : row_batches(sweep_.into, runner_.info(), 1)) {
    SweepBatch alone(runner_, sweep_, row, site.ids, {}, path_, codec_, max_rows_, options_);
    CellResult result = alone.cell(site, layer_rank(flat), Skipping::None);
    for (std::size_t m = 0; m < by_row.size(); ++m) by_row[m].push_back(result.values[m]);
  }
  std::vector<at::Tensor> values;
  for (const auto& rows : by_row) values.push_back(at::cat(rows));
  return values;
}

double SweepRun::rounding() const { return rounding_of(c10::typeMetaToScalarType(runner_.values().dtype())); }

void SweepRun::verify() {
  if (options_.verify <= 0 || computed_.empty()) return;
  double largest_logit = 0;
  for (const SweepBatch& batch : batches_) largest_logit = std::max(largest_logit, batch.largest_logit());
  const double allowed = kVerifyTolerance * rounding() * largest_logit;
  const at::Tensor order =
      at::randperm(static_cast<Index>(computed_.size()), runner_.monitor().rng("verify"), at::TensorOptions(at::kLong));
  const Index count = std::min<Index>(options_.verify, static_cast<Index>(computed_.size()));
  for (Index i = 0; i < count; ++i) {
    const Index flat = computed_[static_cast<std::size_t>(order[i].item<Index>())];
    const std::vector<at::Tensor> again = plain(flat);
    for (std::size_t m = 0; m < again.size(); ++m) {
      const MetricSpec& metric = sweep_.metrics[m].spec();
      if (!verifiable(metric)) continue;
      const at::Tensor before = values_[m].select(0, flat), gap = (before - again[m]).abs();
      const at::Tensor one_missing = before.isnan() != again[m].isnan();
      const double difference = gap.nan_to_num(0).max().item<double>();
      counts_.largest_difference = std::max(counts_.largest_difference, difference);
      if (difference <= allowed && !one_missing.any().item<bool>()) continue;
      throw Error(
          fmt::format("verification failed: {} of cell {} differs by {:.3g} between the sweep and a plain forward, "
                      "more than {:.3g}; please report this",
                      base::quoted(metric.name), flat, difference, allowed));
    }
    ++counts_.verified;
    runner_.monitor().progress("verifying", i + 1, count, {});
  }
}

Cells SweepRun::finish() {
  auto data = std::make_shared<CellsData>();
  data->axes = plan_->axes();
  data->rows = sweep_.into;
  data->counts = counts_;
  std::vector<Index> shape = plan_->shape();
  shape.push_back(sweep_.into.size());
  double largest_logit = 0;
  for (const SweepBatch& batch : batches_) largest_logit = std::max(largest_logit, batch.largest_logit());
  for (std::size_t m = 0; m < values_.size(); ++m) {
    const MetricSpec& metric = sweep_.metrics[m].spec();
    data->metric_names.push_back(metric.name);
    data->values.push_back(values_[m].view(shape));
    data->base.push_back(joined(batches_, &SweepBatch::base, m));
    data->donor.push_back(joined(batches_, &SweepBatch::donor, m));
    at::Tensor ratio;
    if (metric.normalise && data->donor.back().defined()) {
      const Gap gap{.base = data->base.back(),
                    .donor = data->donor.back(),
                    .into = sweep_.into.data()->side,
                    .largest_logit = largest_logit,
                    .rounding = rounding()};
      ratio = normalised(data->values.back(), gap, metric, runner_.monitor());
    }
    data->normalised.push_back(ratio);
  }
  std::string counts = fmt::format("{} cells: {} computed, {} skipped (cannot differ)", counts_.cells, counts_.computed,
                                   counts_.skipped);
  if (counts_.verified > 0)
    counts += fmt::format(", {} verified, largest difference {:.1e}", counts_.verified, counts_.largest_difference);
  runner_.monitor().event("sweep", counts);
  if (unchanged_ > 0) {
    runner_.monitor().event("edit-unchanged", fmt::format("the change altered no bit in {} of {} computed cells",
                                                          unchanged_, counts_.computed));
  }
  if (broken_ > 0) {
    runner_.monitor().warn(
        "not-finite",
        fmt::format("{} of {} computed cells gave numbers that are not finite: the change takes the model out of range",
                    broken_, counts_.computed));
  }
  return Cells(std::move(data));
}

Cells SweepRun::run() {
  start();
  for (Index flat = 0; flat < plan_->cells(); ++flat) {
    run_cell(flat);
    emit_chunk(flat + 1, flat + 1 == plan_->cells());
  }
  verify();
  return finish();
}

}  // namespace diopter::engine
