#include "engine/sweep_plain.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "engine/answer_guard.hpp"
#include "engine/joined_batches.hpp"
#include "engine/memory.hpp"

namespace diopter::engine {
namespace {
constexpr Index kPlainChunkCells = 64;
}

PlainSweep::PlainSweep(Runner& runner, const Sweep& sweep, const SweepPlan& plan, const ForwardPath& path,
                       std::vector<HookId> observed, const TokenCodec* codec, const SessionOptions& options,
                       Index budget)
    : runner_(runner),
      sweep_(sweep),
      plan_(plan),
      path_(path),
      observed_(std::move(observed)),
      codec_(codec),
      options_(options),
      budget_(budget) {
  check_kept_values_fit();
}

// Donor, reference and frozen values stay for the whole sweep.
void PlainSweep::check_kept_values_fit() const {
  const HookTable& hooks = runner_.hooks();
  const ChangeSpec& change = sweep_.change.spec();
  std::vector<HookId> kept;
  if (change.donor || change.op == ChangeSpec::Op::Freeze) kept = plan_.points();
  if (!sweep_.freeze.empty()) {
    for (const HookId id : hooks.resolve(sweep_.freeze)) kept.push_back(id);
  }
  std::vector<CaptureSize> sizes;
  for (const HookId id : kept) sizes.push_back({id, bytes_of(id)});
  check_capture_fits(sizes, hooks, budget_);
}

Index PlainSweep::bytes_of(HookId id) const {
  const std::vector<Index> shape =
      runner_.hooks().shape(id, sweep_.into.size(), sweep_.into.lengths().max().item<Index>());
  return static_cast<Index>(runner_.values().dtype().itemsize()) *
         std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
}

void PlainSweep::start(SweepValues& into) {
  const Index longest = sweep_.into.lengths().max().item<Index>();
  const Index max_rows = rows_that_fit(runner_.info(), longest, budget_);
  for (const RowBatch& rows : row_batches(sweep_.into, runner_.info(), max_rows)) {
    batches_.emplace_back(runner_, sweep_, rows, plan_.points(), observed_, path_, codec_, max_rows, options_);
    warn_answer_in_prompt(sweep_.metrics, rows, codec_, runner_.monitor());
    into.put_references(rows, batches_.back().base(), batches_.back().donor());
    into.largest_logit = std::max(into.largest_logit, batches_.back().largest_logit());
  }
  kept_.resize(observed_.size());
  Index bytes = 0;  // of what one cell observes
  for (const HookId id : observed_) bytes += bytes_of(id);
  chunk_cells_ = bytes == 0 ? kPlainChunkCells : std::clamp<Index>(budget_ / 4 / bytes, 1, kPlainChunkCells);
}

void PlainSweep::run_cell(Index flat, SweepValues& into) {
  const CellSite site = plan_.cell(flat);
  std::vector<std::vector<at::Tensor>> observed(observed_.size());
  bool computed = false, skipped = false, changed = false, finite = true;
  for (SweepBatch& batch : batches_) {
    CellResult result = batch.cell(site, plan_.layer_rank(flat), Skipping::Allowed);
    for (std::size_t m = 0; m < into.cells.size(); ++m) {
      into.cells[m].select(0, flat).narrow(0, batch.batch().first, batch.batch().size()).copy_(result.values[m]);
    }
    for (std::size_t i = 0; i < observed.size(); ++i) observed[i].push_back(std::move(result.observed[i]));
    computed = computed || result.how == CellResult::How::Computed;
    skipped = skipped || result.how == CellResult::How::Skipped;
    finite = finite && result.finite;
    changed = changed || (result.how == CellResult::How::Computed && result.changed);
  }
  for (std::size_t i = 0; i < observed.size(); ++i) kept_[i].push_back(joined_batches(observed[i]));
  into.counts.computed += computed;
  into.counts.skipped += !computed && skipped;
  into.unchanged += computed && !changed;
  into.broken += !finite;
  if (!finite && into.first_broken == kUnset) into.first_broken = flat;
  if (computed || skipped) into.found.push_back(flat);
}

void PlainSweep::emit_chunk(Index end, bool last, SweepValues& into) {
  if (end - chunk_first_ < chunk_cells_ && !last) return;
  runner_.monitor().progress("cells", end, plan_.cells(),
                             into.counts.skipped > 0 ? fmt::format("{} skipped", into.counts.skipped) : std::string());
  if (sweep_.on_chunk) {
    auto data = std::make_shared<CaptureData>(CaptureData{
        .hooks = runner_.hooks(), .ids = observed_, .items = {}, .resid = {}, .logits = {}, .rows = sweep_.into});
    for (std::size_t i = 0; i < observed_.size(); ++i)
      data->items.emplace_back(runner_.hooks()[observed_[i]], at::stack(kept_[i]));
    Chunk chunk{.first = chunk_first_, .values = {}, .observed = Capture(std::move(data))};
    for (const at::Tensor& values : into.cells)
      chunk.values.push_back(values.narrow(0, chunk_first_, end - chunk_first_).clone());
    const Runner::Busy busy(runner_);
    sweep_.on_chunk(chunk);
  }
  for (auto& cells : kept_) cells.clear();
  chunk_first_ = end;
}

void PlainSweep::run(SweepValues& into) {
  start(into);
  for (Index flat = 0; flat < plan_.cells(); ++flat) {
    run_cell(flat, into);
    emit_chunk(flat + 1, flat + 1 == plan_.cells(), into);
  }
}

}  // namespace diopter::engine
