#include "engine/sweep_packed.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include <diopter/error.hpp>

#include "base/hints.hpp"
#include "engine/answer_guard.hpp"
#include "engine/joined_batches.hpp"
#include "engine/length_batches.hpp"
#include "engine/memory.hpp"
#include "engine/thread_team.hpp"

namespace diopter::engine {
namespace {

// Packed rows of one chunk, where the memory allows it: enough that a layer's weights are read from memory seldom, few
// enough that what one layer makes of them stays near the processor (docs/performance.md). The first chunks are
// smaller, or a small sweep would not have one for each thread.
constexpr Index kFirstChunkRows = 320, kMoreRowsEach = 32, kChunkRows = 1024;
constexpr Index kMostChunkCells = 512;
constexpr Index kMostWeighed = 16384;  // pairs of a cell and a prompt; beyond, the last chunks are a small part
constexpr double kLeastWeight = 1000;  // of a chunk; below, products of few rows lose more than even ends gain

std::string reason(Skip skip) {
  switch (skip) {
    case Skip::NotRead: return "reach nothing that is read";
    case Skip::SameTokens: return "replace a value by an equal one, as the tokens up to there are the same";
    case Skip::Future: return "concern attention to masked positions, which is none";
    default: return "have no such position";
  }
}

// [cell]: the weight of this cell and all behind it.
std::vector<double> ahead_of(std::vector<double> weights) {
  for (std::size_t cell = weights.size(); cell-- > 1;) weights[cell - 1] += weights[cell];
  return weights;
}

// How many of the cells from `first` on are one thread's share of all that are left. So chunks become smaller towards
// the end and no thread waits long for the last one.
Index share(const std::vector<double>& ahead, std::size_t first, int threads) {
  if (ahead.empty()) return kMostChunkCells;
  const double weight = std::max(ahead[first] / threads, kLeastWeight);
  std::size_t end = first + 1;
  while (end < ahead.size() && ahead[first] - ahead[end] < weight) ++end;
  return std::min(static_cast<Index>(end - first), kMostChunkCells);
}

}  // namespace

PackedSweep::PackedSweep(Runner& runner, const Sweep& sweep, const SweepPlan& plan, const ForwardPath& path,
                         std::vector<HookId> observed, const TokenCodec* codec, const SessionOptions& options,
                         Index budget, std::filesystem::path journal)
    : runner_(runner),
      sweep_(sweep),
      plan_(plan),
      path_(path),
      observed_ids_(std::move(observed)),
      codec_(codec),
      options_(options),
      budget_(budget),
      longest_(sweep.into.lengths().max().item<Index>()) {
  const auto cells = static_cast<std::size_t>(plan.cells());
  computed_.assign(cells, 0), there_ = computed_, broken_ = computed_;
  unchanged_.assign(cells, 1);
  const Index bytes = bytes_per_prompt(longest_);
  if (bytes > budget_ / 2) {
    throw Error(fmt::format(
        "the values kept of one prompt of {} tokens take {}, but half of the memory budget is {}; raise memory_budget",
        longest_, bytes_text(bytes), bytes_text(budget_ / 2)));
  }
  // What is observed goes to the caller at once, so a killed sweep has to begin again.
  journal_.emplace(observed_ids_.empty() ? std::move(journal) : std::filesystem::path(), identity(),
                   options.keep_after);
}

// The fingerprint of the run, whose folder the journal lies in, says the rest. The budget counts by what it decides: as
// a share of what is free it is another one in each process.
std::string PackedSweep::identity() const {
  std::string text = fmt::format("cells of a sweep 2; chunks of {} rows, cells", chunk_rows());
  for (const Index size : plan_.shape()) text += fmt::format(" {}", size);
  for (const RowBatch& batch : batches()) {
    text += "; prompts";
    for (Index row = 0; row < batch.size(); ++row) text += fmt::format(" {}", batch.call_row(row));
  }
  for (const std::string& glob : sweep_.hooks.globs()) text += fmt::format("; {}", glob);
  for (const Metric& metric : sweep_.metrics) text += fmt::format("; {}", metric.name());
  return text;
}

Index PackedSweep::chunk_rows() const {
  const ModelInfo& info = runner_.info();
  const Index row_bytes = static_cast<Index>(sizeof(float)) * (14 * info.d_model + 3 * info.d_mlp);
  return std::clamp<Index>(budget_ / 4 / at::get_num_threads() / row_bytes, 1, kChunkRows);
}

Index PackedSweep::bytes_per_prompt(Index positions) const {
  std::set<HookId> base(observed_ids_.begin(), observed_ids_.end()), donor;
  for (const HookId id : PackedCells::points(plan_, runner_.model())) base.insert(id);
  for (const HookId id : PackedCells::donor_points(sweep_, plan_, runner_.model())) donor.insert(id);
  if (sweep_.change.spec().donor || sweep_.change.spec().op == ChangeSpec::Op::Freeze)
    donor.insert(plan_.points().begin(), plan_.points().end());
  if (sweep_.change.spec().donor && sweep_.edits.empty()) {  // what a donor's run shares with the base run
    base.insert(donor.begin(), donor.end());
    for (const HookId id : KeptRun::points(runner_.hooks(), runner_.info(), 0)) base.insert(id);
  }
  if (!sweep_.freeze.empty()) {
    for (const HookId id : runner_.hooks().resolve(sweep_.freeze)) base.insert(id);
  }
  Index bytes = 0;
  for (const auto* ids : {&base, &donor}) {
    for (const HookId id : *ids) {
      const std::vector<Index> shape = runner_.hooks().shape(id, 1, positions);
      bytes += static_cast<Index>(runner_.values().dtype().itemsize()) *
               std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
    }
  }
  return bytes;
}

// Prompts of similar length together, as many as the memory takes.
std::vector<RowBatch> PackedSweep::batches() const {
  const auto most = [this](Index longest) {
    const Index fit = rows_that_fit(runner_.info(), longest, budget_);
    return std::max<Index>(1, std::min(fit, budget_ / 2 / std::max<Index>(1, bytes_per_prompt(longest))));
  };
  const bool whole = !observed_ids_.empty() || laid_along_positions(sweep_.change.spec()) ||
                     std::any_of(sweep_.edits.items().begin(), sweep_.edits.items().end(),
                                 [](const Edits::Item& item) { return laid_along_positions(item.change.spec()); });
  return whole ? row_batches(sweep_.into, runner_.info(), most(longest_))
               : length_batches(sweep_.into, runner_.info(), {.max_rows = most});
}

// Cells between two calls of on_chunk, if it gets their values.
Index PackedSweep::group_cells() const {
  if (observed_ids_.empty()) return plan_.cells();
  Index bytes = 1;  // of what one cell observes
  for (const HookId id : observed_ids_) {
    const std::vector<Index> shape = runner_.hooks().shape(id, sweep_.into.size(), longest_);
    bytes += static_cast<Index>(runner_.values().dtype().itemsize()) *
             std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
  }
  return std::clamp<Index>(budget_ / 8 / bytes, 1, kMostChunkCells);  // held by threads, in parts and together
}

// Null when one of its edits lets a query see what its mask hides.
std::unique_ptr<SweepBatch> PackedSweep::prepared(const RowBatch& rows, bool first_time, SweepValues& into) {
  auto batch =
      std::make_unique<SweepBatch>(runner_, sweep_, plan_, rows, observed_ids_, path_, codec_, rows.size(), options_);
  if (batch->packed() == nullptr) return nullptr;
  if (!first_time) return batch;
  warn_answer_in_prompt(sweep_.metrics, rows, codec_, runner_.monitor());
  into.put_references(rows, batch->base(), batch->donor());
  into.largest_logit = std::max(into.largest_logit, batch->largest_logit());
  return batch;
}

bool PackedSweep::run(SweepValues& into) {
  const std::vector<RowBatch> batches = this->batches();
  if (journal_->kept() > 0)
    runner_.monitor().event("sweep-resumed", fmt::format("{} chunks of cells were finished before", journal_->kept()));
  const double before = runner_.operations();  // below only base and donor runs make forwards
  const Index group = group_cells();
  std::unique_ptr<SweepBatch> batch;
  for (Index first = 0; first < plan_.cells(); first += group) {
    const Index end = std::min(plan_.cells(), first + group);
    observed_.assign(observed_ids_.size(), {});
    for (std::size_t i = 0; i < batches.size(); ++i) {
      if (batch == nullptr || batches.size() > 1) {
        batch.reset();  // before the next one takes its memory
        batch = prepared(batches[i], first == 0, into);
      }
      if (batch == nullptr) return false;
      run_batch(*batch, static_cast<Index>(i), i + 1 == batches.size(), end, into);
    }
  }
  into.counts.reference_operations = runner_.operations() - before;
  count_cells(into);
  return true;
}

// Chunks in order, each to the next free thread; finished ones are put in order by whoever finds them.
struct PackedSweep::Work {
  std::mutex mutex;
  Index chunks = 0;                 // so far
  Index next = 0;                   // first cell of the next chunk
  std::vector<double> ahead;        // [cell - first cell]: weight of this cell and all behind it; empty: not known
  Index pairs = 0;                  // of a cell and a prompt, done in this call
  std::map<Index, Index> finished;  // first cell -> end, not yet in order
  Index in_order = 0;               // all cells below are finished
};

void PackedSweep::run_batch(const SweepBatch& batch, Index which, bool last, Index end_cell, SweepValues& into) {
  const PackedCells& cells = *batch.packed();
  Work work;
  const Index begin = emitted_;
  work.next = work.in_order = begin;
  if ((end_cell - begin) * batch.batch().size() <= kMostWeighed) work.ahead = ahead_of(cells.weights(begin, end_cell));
  make_room(batch.batch(), end_cell - emitted_);
  const Index rows = chunk_rows();
  const int threads = at::get_num_threads();
  ThreadTeam team(threads);
  const auto caller = std::this_thread::get_id();
  RunMonitor& monitor = runner_.monitor();
  team.run([&] {
    const c10::NoGradGuard no_grad;
    const bool main = std::this_thread::get_id() == caller;
    for (;;) {
      if (main) monitor.check_stop();
      if (monitor.stop_requested()) return;
      std::unique_lock lock(work.mutex);
      if (work.next >= end_cell) break;
      const Index first = work.next, smaller = kFirstChunkRows + kMoreRowsEach * work.chunks++;
      Index finished = first;
      if (const SweepJournal::Kept* kept = journal_->find(which, first)) {
        work.next = kept->end;
        put(first, kept->end, kept->result, batch, into);
        finished = kept->end;
      } else {
        const Index most =
            std::min(end_cell - first, share(work.ahead, static_cast<std::size_t>(first - begin), threads));
        PackedCells::Chunk chunk = cells.chunk(first, std::min(rows, smaller), most);
        const Index end = chunk.cells.back() + 1;
        work.next = end;
        lock.unlock();
        ChunkResult result = cells.run(std::move(chunk));
        result.observed = batch.without_padding(result.observed);
        journal_->add(which, first, end, result);
        lock.lock();
        put(first, end, result, batch, into);
        finished = end;
      }
      work.finished[first] = finished;
      while (!work.finished.empty() && work.finished.begin()->first == work.in_order) {
        work.in_order = work.finished.begin()->second;
        work.finished.erase(work.finished.begin());
      }
      const Index done = work.in_order;
      work.pairs += (finished - first) * batch.batch().size();
      const Index pairs = pairs_done_ + work.pairs;
      lock.unlock();
      monitor.progress("cells", pairs / sweep_.into.size(), plan_.cells(), {});
      if (main && last && observed_ids_.empty()) emit(done, into);
    }
  });
  pairs_done_ += work.pairs;
  if (const auto why = journal_->failure()) monitor.warn("sweep-journal", *why);
  monitor.check_stop();
  if (last) emit(end_cell, into);
}

void PackedSweep::make_room(const RowBatch& rows, Index cells) {
  for (std::size_t i = 0; i < observed_ids_.size(); ++i) {
    std::vector<Index> shape = runner_.hooks().shape(observed_ids_[i], rows.size(), rows.longest());
    shape.insert(shape.begin(), cells);
    observed_[i].push_back(at::empty(shape, runner_.values()));
  }
}

void PackedSweep::put(Index first, Index end, const ChunkResult& result, const SweepBatch& from, SweepValues& into) {
  const RowBatch& batch = from.batch();
  for (std::size_t i = 0; i < observed_.size(); ++i)
    observed_[i].back().narrow(0, first - emitted_, end - first).copy_(result.observed[i]);
  for (std::size_t m = 0; m < into.cells.size(); ++m) {
    at::Tensor by_prompt = into.cells[m].narrow(0, first, end - first).t();
    batch.put(by_prompt, result.values[m].t());
  }
  for (Index cell = first; cell < end; ++cell) {
    const auto at = static_cast<std::size_t>(cell), own = static_cast<std::size_t>(cell - first);
    for (Index row = 0; row < batch.size(); ++row) {
      const Skip skip = result.skips[own * static_cast<std::size_t>(batch.size()) + static_cast<std::size_t>(row)];
      there_[at] |= skip != Skip::NotThere;
      computed_[at] |= skip == Skip::None;
      ++skips_[skip];
    }
    unchanged_[at] &= result.unchanged[own];
    broken_[at] |= result.broken[own];
  }
  into.counts.operations += result.operations;
}

// [main] Finished cells, in order, once all prompts have them.
void PackedSweep::emit(Index end, SweepValues& into) {
  if (!sweep_.on_chunk || end == emitted_) return;
  auto data = std::make_shared<CaptureData>(CaptureData{
      .hooks = runner_.hooks(), .ids = observed_ids_, .items = {}, .resid = {}, .logits = {}, .rows = sweep_.into});
  for (std::size_t i = 0; i < observed_ids_.size(); ++i)
    data->items.emplace_back(runner_.hooks()[observed_ids_[i]], joined_batches(observed_[i], 1));
  diopter::Chunk chunk{.first = emitted_, .values = {}, .observed = Capture(std::move(data))};
  for (const at::Tensor& values : into.cells)
    chunk.values.push_back(values.narrow(0, emitted_, end - emitted_).clone());
  const Runner::Busy busy(runner_);
  sweep_.on_chunk(chunk);
  emitted_ = end;
}

void PackedSweep::count_cells(SweepValues& into) const {
  for (Index cell = 0; cell < plan_.cells(); ++cell) {
    const auto at = static_cast<std::size_t>(cell);
    into.counts.computed += computed_[at];
    into.counts.skipped += there_[at] && !computed_[at];
    into.unchanged += computed_[at] && unchanged_[at];
    into.broken += broken_[at];
    if (broken_[at] && into.first_broken == kUnset) into.first_broken = cell;
    if (there_[at]) into.found.push_back(cell);
  }
  std::vector<std::string> words;
  for (const auto& [skip, count] : skips_) {
    if (skip != Skip::None && count > 0) words.push_back(fmt::format("{} {}", count, reason(skip)));
  }
  if (words.empty()) return;
  runner_.monitor().event("sweep-skipped", fmt::format("of {} pairs of a cell and a prompt {}",
                                                       plan_.cells() * sweep_.into.size(), base::join(words)));
}

}  // namespace diopter::engine
