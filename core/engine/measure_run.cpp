#include "engine/measure_run.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

#include "engine/answer_guard.hpp"
#include "engine/clean_reference.hpp"
#include "engine/memory.hpp"
#include "engine/workplace.hpp"

namespace diopter::engine {
namespace {

std::vector<Index> sizes_of(const std::vector<Axis>& axes) {
  std::vector<Index> sizes;
  for (const Axis& axis : axes) sizes.push_back(static_cast<Index>(std::max(axis.indices.size(), axis.reals.size())));
  return sizes;
}

}  // namespace

Cells measure_rows(Runner& runner, const Prompts& rows, const std::vector<Metric>& metrics, const Edits& edits,
                   const TokenCodec* codec, const SessionOptions& options) {
  runner.refuse_nested();
  if (metrics.empty()) throw Error("measure was given no metric");
  ForwardPath path;
  for (const HookId id : edited_points(edits, runner.hooks(), runner.monitor())) path.use(runner.hooks().point(id));
  const Index longest = rows.size() == 0 ? 0 : rows.lengths().max().item<Index>();
  const Index max_rows = rows_that_fit(runner.info(), longest, memory_budget(options.memory_budget));
  const std::vector<RowBatch> batches = row_batches(rows, runner.info(), max_rows);
  const std::vector<Edits> cells = edits.cells();

  const auto count = static_cast<Index>(cells.size());
  std::vector<at::Tensor> values(metrics.size()), base(metrics.size());
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    values[m] = at::full({count, rows.size()}, std::nan(""), at::kDouble);
    base[m] = at::full({rows.size()}, std::nan(""), at::kDouble);
  }
  for (const RowBatch& batch : batches) {
    Workplace work(runner, batch, codec, path, max_rows);
    MetricReader reader(metrics, batch, batch.rows, codec, runner.values().device(), runner.info().d_vocab);
    warn_answer_in_prompt(metrics, batch, codec, runner.monitor());
    const ForwardResult unedited = runner.run(batch, nullptr, path);
    at::Tensor clean = clean_log_probs(runner, metrics, reader, batch, codec, path, &unedited);
    reader.compare_with(std::move(clean), reader.needs_unpatched() ? reader.log_probs(unedited) : at::Tensor());
    const std::vector<at::Tensor> plain = reader.read(unedited);
    for (std::size_t m = 0; m < metrics.size(); ++m) base[m].narrow(0, batch.first, batch.size()).copy_(plain[m]);
    for (const Edits& cell : cells) work.want(cell);
    work.sources().make();
    for (Index i = 0; i < count; ++i) {
      HookBus bus(runner.hooks());
      for (BoundEdit& edit : work.bind(cells[static_cast<std::size_t>(i)], options.kind)) bus.add(std::move(edit));
      const std::vector<at::Tensor> read = reader.read(edits.empty() ? unedited : runner.run(batch, &bus, path));
      for (std::size_t m = 0; m < metrics.size(); ++m)
        values[m].select(0, i).narrow(0, batch.first, batch.size()).copy_(read[m]);
      runner.monitor().progress("runs", batch.first * count + (i + 1) * batch.size(), rows.size() * count, {});
    }
  }
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
