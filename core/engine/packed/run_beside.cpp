#include "engine/packed/run_beside.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "engine/packed/after_blocks.hpp"
#include "engine/packed/stages.hpp"

namespace diopter::engine {
namespace {

// A whole value with as many positions as the other rows have; what is new there is written before it is read.
at::Tensor with_positions(const at::Tensor& value, const HookPoint& point, bool scores, Index positions) {
  std::vector<Index> shape = value.sizes().vec();
  const double fill = scores ? -std::numeric_limits<double>::infinity() : 0.0;
  for (std::size_t dim = 0; dim < shape.size(); ++dim) {
    if (point.dims[dim] == "pos" || point.dims[dim] == "dest" || point.dims[dim] == "src") shape[dim] = positions;
  }
  if (value.sizes() == at::IntArrayRef(shape)) return value;
  at::Tensor out = at::full(shape, fill, value.options()), to = out, from = value;
  for (std::size_t dim = 0; dim < shape.size(); ++dim) {
    const Index both = std::min(shape[dim], value.size(static_cast<Index>(dim)));
    to = to.narrow(static_cast<Index>(dim), 0, both);
    from = from.narrow(static_cast<Index>(dim), 0, both);
  }
  to.copy_(from);
  return out;
}

std::vector<Lane> lanes_of(const RowBatch& known, const RowBatch& rows) {
  const auto ours = known.ids.accessor<Index, 2>();
  const auto theirs = rows.ids.accessor<Index, 2>();
  std::vector<Lane> lanes;
  for (Index row = 0; row < rows.size(); ++row) {
    const Index length = rows.lengths[static_cast<std::size_t>(row)];
    const Index both = std::min(length, known.lengths[static_cast<std::size_t>(row)]);
    Lane lane{.row = row, .end = length, .edits = {}, .stream = {}};
    for (Index pos = 0; pos < length; ++pos)
      lane.stream.push_back(pos < both && ours[row][pos] == theirs[row][pos] ? kBase : kOwn);
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

// The embeddings of what differs.
Rows own_streams(const model::Transformer& model, const RowBatch& rows, const std::vector<Lane>& lanes, RowTap& tap) {
  Rows own;
  std::vector<Index> ids, positions;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    for (Index pos = 0; pos < lanes[i].end; ++pos) {
      if (lanes[i].stream[static_cast<std::size_t>(pos)] != kOwn) continue;
      own.at.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(pos)});
      ids.push_back(rows.ids.const_data_ptr<Index>()[lanes[i].row * rows.ids.stride(0) + pos]);
      positions.push_back(pos);
    }
  }
  tap.rows_are(own.at);
  const auto row_of = [](const std::vector<Index>& values) {
    return at::tensor(at::ArrayRef<Index>(values), at::kLong).unsqueeze(0);
  };
  own.value = model.embed(row_of(ids), {.tap = &tap}, {.positions = row_of(positions)}).squeeze(0).contiguous();
  return own;
}

}  // namespace

double shared_part(const RowBatch& known, const RowBatch& rows) {
  const std::vector<Index> shared = equal_prefix(known, rows);
  double all = 0, equal = 0;
  for (std::size_t row = 0; row < shared.size(); ++row) {
    all += static_cast<double>(rows.lengths[row]);
    equal += static_cast<double>(shared[row]);
  }
  return equal / all;
}

BesideRun run_beside(const model::Transformer& model, const RowBatch& known, const HookValues& values,
                     const RowBatch& rows, std::span<const HookId> ids, const MetricReader& reader,
                     const model::ExecutionPath& kernels) {
  HookValues start;
  for (const HookId id : ids) {
    const bool scores = model.hooks().point(id) == Point::AttnScores;
    start[id] = with_positions(values.at(id), model.hooks()[id], scores, rows.longest());
  }
  ObservedRows observed({ids.begin(), ids.end()}, start, 1);
  const Needs needs(rows, model.info(), reader, true);
  const KeptRun base(values, model, 0);
  const WalkContext context{.model = model,
                            .batch = rows,
                            .needs = needs,
                            .base = base,
                            .donor = nullptr,
                            .everywhere = {},
                            .kernels = kernels};
  std::vector<Lane> lanes = lanes_of(known, rows);
  LaneWalk walk(context, lanes, &observed);
  Rows last = walk.run(own_streams(model, rows, lanes, walk.tap()));
  const bool behind =
      std::any_of(ids.begin(), ids.end(), [&](HookId id) { return stages::after_blocks(model.hooks().point(id)); });
  BesideRun out{.values = {}, .operations = walk.operations()};
  if (behind) out.operations += AfterBlocks(model, walk.tap(), std::move(last)).operations();
  for (std::size_t i = 0; i < ids.size(); ++i) out.values[ids[i]] = observed.value(i)[0];
  return out;
}

}  // namespace diopter::engine
