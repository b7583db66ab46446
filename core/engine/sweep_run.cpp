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

// Of a sweep whose products are in low precision: what is compared with float32.
constexpr Index kMeasuredCells = 16, kMeasuredPrompts = 2;
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

}  // namespace

SweepRun::SweepRun(Runner& runner, const Sweep& sweep, const TokenCodec* codec, const SessionOptions& options,
                   std::filesystem::path journal)
    : runner_(runner),
      sweep_(sweep),
      codec_(codec),
      options_(options),
      journal_(std::move(journal)),
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
  const std::vector<RowBatch> rows = row_batches(sweep.into, runner.info());
  // What a hook has no dimension for is an Error before the first forward.
  const Place place{rows.front(), runner.info(), hooks, codec, runner.values().device()};
  for (const HookId id : plan_->points()) Selection(plan_->cell(0).where, id, place);
}

void SweepRun::compute() {
  values_.emplace(sweep_.metrics.size(), plan_->cells(), sweep_.into.size());
  std::string why =
      options_.plain_sweeps ? "plain sweeps are asked for" : PackedCells::why_plain(sweep_, runner_.model());
  if (why.empty()) {
    PackedSweep packed(runner_, sweep_, *plan_, path_, observed_, codec_, options_, budget_, journal_);
    packed_ = packed.run(*values_);
    if (packed_) return;
    why = "one of its edits lets a query see what its mask hides";
    values_.emplace(sweep_.metrics.size(), plan_->cells(), sweep_.into.size());
  }
  runner_.monitor().event("sweep-plain", fmt::format("a forward for each cell, because {}", why));
  PlainSweep(runner_, sweep_, *plan_, path_, observed_, codec_, options_, budget_).run(*values_);
}

double SweepRun::rounding() const {
  return rounding_of(options_.exact ? at::kBFloat16 : c10::typeMetaToScalarType(runner_.values().dtype()));
}

// `count` of the cells that have a number, in random order.
std::vector<Index> SweepRun::drawn(Index count) {
  const std::vector<Index>& found = values_->found;
  const at::Tensor order =
      at::randperm(static_cast<Index>(found.size()), runner_.monitor().rng("verify"), at::TensorOptions(at::kLong));
  std::vector<Index> cells;
  for (Index i = 0; i < std::min<Index>(count, order.numel()); ++i)
    cells.push_back(found[static_cast<std::size_t>(order[i].item<Index>())]);
  return cells;
}

// The same cells computed another way, at the prompts of `rows`: [metric] double [cell, batch].
void SweepRun::compare(const std::vector<Index>& cells, const RowBatch& rows, const std::vector<at::Tensor>& again,
                       const std::string& way) {
  const double allowed = kVerifyTolerance * rounding() * values_->largest_logit;
  for (std::size_t m = 0; m < again.size(); ++m) {
    const MetricSpec& metric = sweep_.metrics[m].spec();
    if (!verifiable(metric)) continue;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const at::Tensor before = rows.of_call(values_->cells[m].select(0, cells[i]));
      const at::Tensor after = again[m].select(0, static_cast<Index>(i));
      const at::Tensor one_missing = before.isnan() != after.isnan();
      const double difference = (before - after).abs().nan_to_num(0).max().item<double>();
      values_->counts.largest_difference = std::max(values_->counts.largest_difference, difference);
      if (difference <= allowed && !one_missing.any().item<bool>()) continue;
      throw Error(fmt::format(
          "verification failed: {} of cell {} differs by {:.3g} between the sweep and {}, more than {:.3g}; "
          "please report this",
          base::quoted(metric.name), cells[i], difference, way, allowed));
    }
  }
}

// [metric]: double [cell, batch]: a plain forward for each cell. `most`: rows of one forward.
std::vector<at::Tensor> SweepRun::plain(const std::vector<Index>& cells, const RowBatch& rows, Index most) {
  Runner exact(options_.exact ? *options_.exact : runner_.model(), runner_.monitor());
  SweepBatch batch(exact, sweep_, rows, plan_->points(), {}, path_, codec_, most, options_);
  std::vector<std::vector<at::Tensor>> by_cell(sweep_.metrics.size());
  for (const Index flat : cells) {
    CellResult result = batch.cell(plan_->cell(flat), plan_->layer_rank(flat), Skipping::None);
    for (std::size_t m = 0; m < by_cell.size(); ++m) by_cell[m].push_back(std::move(result.values[m]));
    runner_.monitor().check_stop();
  }
  std::vector<at::Tensor> values;
  for (const auto& of_cells : by_cell) values.push_back(at::stack(of_cells));
  return values;
}

// Prompt by prompt if the sweep was plain already: nothing is padded then.
void SweepRun::verify() {
  if (options_.verify == 0 || values_->found.empty()) return;
  const std::vector<Index> cells = drawn(options_.verify);
  const Index longest = sweep_.into.lengths().max().item<Index>();
  const Index most = packed_ ? rows_that_fit(runner_.info(), longest, budget_) : 1;
  for (const RowBatch& rows : row_batches(sweep_.into, runner_.info(), most)) {
    compare(cells, rows, plain(cells, rows, most), "a plain forward");
    runner_.monitor().progress("verifying", rows.first + rows.size(), sweep_.into.size(), {});
  }
  values_->counts.verified = static_cast<Index>(cells.size());
}

// What products in low precision cost: some cells at some prompts again with products in float32, packed as they were,
// or measuring would take longer than many a sweep.
void SweepRun::measure_precision() {
  if (!options_.exact || options_.verify > 0 || values_->found.empty()) return;
  const std::vector<Index> cells = drawn(kMeasuredCells);
  const Index longest = sweep_.into.lengths().max().item<Index>();
  const Index most = std::min(kMeasuredPrompts, rows_that_fit(runner_.info(), longest, budget_));
  const std::vector<RowBatch> batches = row_batches(sweep_.into, runner_.info(), most);
  const at::Tensor drawn_batch = at::randint(static_cast<Index>(batches.size()), {1}, runner_.monitor().rng("measured"),
                                             at::TensorOptions(at::kLong));
  const RowBatch& rows = batches[static_cast<std::size_t>(drawn_batch.item<Index>())];
  if (packed_) {
    Runner exact(*options_.exact, runner_.monitor());
    const SweepBatch batch(exact, sweep_, *plan_, rows, {}, path_, codec_, most, options_);
    compare(cells, rows, batch.packed()->run(batch.packed()->chunk(cells)).values, "products in float32");
  } else {
    compare(cells, rows, plain(cells, rows, most), "products in float32");
  }
  values_->counts.verified = static_cast<Index>(cells.size());
}

// Where the first such cell leaves the range of numbers, prompt by prompt.
std::string SweepRun::where_not_finite() {
  const Index flat = values_->first_broken;
  const CellSite site = plan_->cell(flat);
  for (const RowBatch& row : row_batches(sweep_.into, runner_.info(), 1)) {
    SweepBatch alone(runner_, sweep_, row, site.ids, {}, path_, codec_, 1, options_);
    const HookId id = alone.first_not_finite(&site, plan_->layer_rank(flat));
    if (id == kNoHook) continue;
    return fmt::format("; in cell {} first at '{}' of prompt {}", flat, runner_.hooks()[id].name, row.first);
  }
  return "; all hook points inside the blocks are finite, so it is the final norm or the logits";
}

void SweepRun::record() {
  const Counts& counts = values_->counts;
  std::string text =
      fmt::format("{} cells: {} computed, {} skipped (cannot differ)", counts.cells, counts.computed, counts.skipped);
  if (counts.operations > 0) text += fmt::format(", {:.3g} GFLOP", counts.operations / 1e9);
  if (counts.verified > 0) {
    const bool measured = options_.exact && options_.verify == 0;
    text += fmt::format(", {} {}{}, largest difference {:.1e}", counts.verified, measured ? "measured" : "verified",
                        options_.exact ? " with products in float32" : "", counts.largest_difference);
  }
  RunMonitor& monitor = runner_.monitor();
  monitor.event("sweep", text);
  if (values_->unchanged > 0) {
    monitor.event("edit-unchanged", fmt::format("the change altered no bit in {} of {} computed cells",
                                                values_->unchanged, counts.computed));
  }
  if (values_->broken > 0) {
    monitor.warn(
        "not-finite",
        fmt::format(
            "{} of {} computed cells gave numbers that are not finite: the change takes the model out of range{}",
            values_->broken, counts.computed, where_not_finite()));
  }
}

Cells SweepRun::finish() {
  auto data = std::make_shared<CellsData>();
  data->axes = plan_->axes();
  data->rows = sweep_.into;
  data->counts = values_->counts;
  std::vector<Index> shape = plan_->shape();
  shape.push_back(sweep_.into.size());
  for (std::size_t m = 0; m < sweep_.metrics.size(); ++m) {
    const MetricSpec& metric = sweep_.metrics[m].spec();
    data->metric_names.push_back(metric.name);
    data->values.push_back(values_->cells[m].view(shape));
    data->base.push_back(values_->base[m]);
    data->donor.push_back(values_->donor[m]);
    at::Tensor ratio;
    if (metric.normalise && data->donor.back().defined()) {
      const Gap gap{.base = data->base.back(),
                    .donor = data->donor.back(),
                    .into = sweep_.into.data()->side,
                    .largest_logit = values_->largest_logit,
                    .rounding = rounding()};
      ratio = normalised(data->values.back(), gap, metric, runner_.monitor());
    }
    data->normalised.push_back(ratio);
  }
  record();
  return Cells(std::move(data));
}

Cells SweepRun::run() {
  compute();
  verify();
  measure_precision();
  return finish();
}

}  // namespace diopter::engine
