#include "engine/measure_run.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "engine/answer_guard.hpp"
#include "engine/clean_reference.hpp"
#include "engine/length_batches.hpp"
#include "engine/memory.hpp"
#include "engine/workplace.hpp"

namespace diopter::engine {
namespace {

std::vector<Index> sizes_of(const std::vector<Axis>& axes) {
  std::vector<Index> sizes;
  for (const Axis& axis : axes) sizes.push_back(static_cast<Index>(std::max(axis.indices.size(), axis.reals.size())));
  return sizes;
}

// Whether a tensor of these edits may have an entry for each position of the longest row: it fits batches of that
// width alone.
bool any_laid_along_positions(const Edits& edits) {
  return std::any_of(edits.items().begin(), edits.items().end(),
                     [](const Edits::Item& item) { return laid_along_positions(item.change.spec()); });
}

std::vector<RowBatch> batches_of(const Prompts& rows, const Edits& edits, const ModelInfo& info, Index budget,
                                 Index max_rows) {
  if (any_laid_along_positions(edits)) return row_batches(rows, info, max_rows);
  return length_batches(rows, info,
                        {.max_rows = [&info, budget](Index longest) { return rows_that_fit(info, longest, budget); }});
}

// Edits of a cell that changed no bit in any batch.
class Unchanged {
 public:
  void add(Index cell, const std::vector<Index>& edits) {
    for (const Index number : edits) ++times_[{cell, number}];
  }
  void report(Index batches, RunMonitor& monitor) const {
    for (const auto& [edit, times] : times_) {
      if (times == batches)
        monitor.event("edit-unchanged", fmt::format("edit {} fired but changed no bit", edit.second));
    }
  }

 private:
  std::map<std::pair<Index, Index>, Index> times_;  // (cell, number of the edit) -> batches
};

}  // namespace

Cells measure_rows(Runner& runner, const Prompts& rows, const std::vector<Metric>& metrics, const Edits& edits,
                   const TokenCodec* codec, const SessionOptions& options) {
  runner.refuse_nested();
  if (metrics.empty()) throw Error("measure was given no metric");
  ForwardPath path;
  for (const HookId id : edited_points(edits, runner.hooks(), runner.monitor())) path.use(runner.hooks().point(id));
  const Index budget = memory_budget(options.memory_budget);
  const Index longest = rows.size() == 0 ? 0 : rows.lengths().max().item<Index>();
  const Index max_rows = rows_that_fit(runner.info(), longest, budget);
  const std::vector<RowBatch> batches = batches_of(rows, edits, runner.info(), budget, max_rows);
  warn_answer_in_prompt(metrics, row_batches(rows, runner.info()).front(), codec, runner.monitor());
  const std::vector<Edits> cells = edits.cells();
  ReferenceMeans means;
  Unchanged unchanged;
  Index done = 0;

  const auto count = static_cast<Index>(cells.size());
  std::vector<at::Tensor> values(metrics.size()), base(metrics.size());
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    values[m] = at::full({count, rows.size()}, std::nan(""), at::kDouble);
    base[m] = at::full({rows.size()}, std::nan(""), at::kDouble);
  }
  for (const RowBatch& batch : batches) {
    Workplace work(runner, batch, codec, path, max_rows, &means);
    MetricReader reader(metrics, batch, batch.rows, codec, runner.values().device(), runner.info().d_vocab);
    const ForwardResult unedited = runner.run(batch, nullptr, path);
    at::Tensor clean = clean_logits(runner, metrics, reader, batch, codec, path, &unedited);
    reader.compare_with(std::move(clean), reader.needs_unpatched() ? reader.logits(unedited) : at::Tensor());
    const std::vector<at::Tensor> plain = reader.read(unedited);
    for (std::size_t m = 0; m < metrics.size(); ++m) batch.put(base[m], plain[m]);
    for (const Edits& cell : cells) work.want(cell);
    work.sources().make();
    for (Index i = 0; i < count; ++i) {
      HookBus bus(runner.hooks());
      for (BoundEdit& edit : work.bind(cells[static_cast<std::size_t>(i)], options.kind)) bus.add(std::move(edit));
      std::vector<Index> same;
      const std::vector<at::Tensor> read = reader.read(edits.empty() ? unedited : runner.run(batch, &bus, path, &same));
      unchanged.add(i, same);
      for (std::size_t m = 0; m < metrics.size(); ++m) {
        at::Tensor of_cell = values[m].select(0, i);
        batch.put(of_cell, read[m]);
      }
      runner.monitor().progress("runs", done += batch.size(), rows.size() * count, {});
    }
  }
  unchanged.report(static_cast<Index>(batches.size()), runner.monitor());
  auto data = std::make_shared<CellsData>();
  data->axes = edits.axes();
  data->rows = rows;
  data->counts = {.cells = count, .computed = count};
  std::vector<Index> shape = sizes_of(data->axes);
  shape.push_back(rows.size());
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    data->metric_names.emplace_back(metrics[m].name());
    data->values.push_back(values[m].view(shape));
    data->base.push_back(base[m]);
  }
  return Cells(std::move(data));
}

}  // namespace diopter::engine
