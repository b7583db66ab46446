#include "engine/packed/packed_cells.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/packed/after_blocks.hpp"
#include "engine/packed/stages.hpp"

namespace diopter::engine {
namespace {

Index first_layer(const SweepPlan& plan, const HookTable& hooks, Index layers) {
  Index first = layers;
  for (const HookId id : plan.points()) {
    if (!stages::after_blocks(hooks.point(id))) first = std::min(first, std::max<Index>(0, hooks[id].layer));
  }
  return first;
}

bool donor_may_serve(Point point) {
  return point == Point::Embed || point == Point::ResidPre || stages::is_stream_inside(point);
}

// From here on the lane may differ from the base run.
Index first_position(const Lane& lane) {
  Index first = lane.end;
  for (const LaneEdit& edit : lane.edits) first = std::min(first, edit.positions.front());
  return first;
}

}  // namespace

std::vector<HookId> PackedCells::points(const SweepPlan& plan, const model::Transformer& model) {
  const HookTable& hooks = model.hooks();
  const ModelInfo& info = model.info();
  const Index first = first_layer(plan, hooks, info.n_layers);
  const std::vector<HookId> common = KeptRun::points(hooks, info, first);
  std::set<HookId> ids(common.begin(), common.end());
  const auto add = [&](Point point, Index layer) {
    if (const HookId id = hooks.id(point, layer); id != kNoHook) ids.insert(id);
  };
  for (Index layer = first; info.parallel_block && layer < info.n_layers; ++layer) add(Point::AttnOut, layer);
  for (const HookId id : plan.points()) {
    const Point point = hooks.point(id);
    const Index layer = hooks[id].layer;
    if (stages::is_stream_before(point)) {
      add(Point::Embed, 0), add(Point::PosEmbed, 0);
      continue;
    }
    const bool projected = stages::in(stages::kRaw, point) || stages::in(stages::kInputs, point);
    const bool attention = projected || stages::in(stages::kPairs, point);
    if (projected) add(Point::Q, layer), add(Point::K, layer), add(Point::V, layer);
    if (stages::in(stages::kPairs, point)) ids.insert(id);
    if (attention || stages::in(stages::kHeads, point)) add(Point::Z, layer);
    if (point == Point::AttnOut) ids.insert(id);
    const bool before_activation = point == Point::MlpPre || point == Point::MlpPreLinear;
    const bool neurons = stages::in(stages::kNeurons, point);
    if (before_activation) add(Point::MlpPre, layer), add(Point::MlpPreLinear, layer);
    if (neurons) add(Point::MlpPost, layer), add(Point::MlpOut, layer);
    if (neurons || point == Point::ResidMid || stages::in(stages::kMlp, point) || point == Point::MlpOut)
      add(Point::ResidMid, layer);
    if (point == Point::MlpOut || point == Point::ResidPost) ids.insert(id);
  }
  return {ids.begin(), ids.end()};
}

std::vector<HookId> PackedCells::donor_points(const Sweep& sweep, const SweepPlan& plan,
                                              const model::Transformer& model) {
  const ChangeSpec& change = sweep.change.spec();
  const HookTable& hooks = model.hooks();
  const bool replaced = change.op == ChangeSpec::Op::Replace && change.donor;
  const bool streams = std::any_of(plan.points().begin(), plan.points().end(),
                                   [&](HookId id) { return donor_may_serve(hooks.point(id)); });
  if (!replaced || !streams || !sweep.edits.empty() || !sweep.freeze.empty() || !sweep.observe.empty()) return {};
  const Index first = first_layer(plan, hooks, model.info().n_layers);
  return KeptRun::points(hooks, model.info(), first);
}

std::string PackedCells::why_plain(const Sweep& sweep, const model::Transformer& model) {
  const at::Tensor& embed = model.parameters().get(model::Part::Embed);
  const at::ScalarType dtype = embed.scalar_type();
  if (!embed.device().is_cpu()) return "the model is on a GPU";
  if (dtype != at::kFloat && dtype != at::kBFloat16 && dtype != at::kHalf) return "its dtype has no packed form";
  if (sweep.change.spec().op == ChangeSpec::Op::Custom) return "its change is a callback";
  for (const Edits::Item& item : sweep.edits.items()) {
    if (item.change.spec().op == ChangeSpec::Op::Custom) return "one of its edits is a callback";
  }
  for (const Metric& metric : sweep.metrics) {
    if (metric.spec().custom) return "one of its metrics is a callback";
  }
  return {};
}

PackedCells::PackedCells(PackedSource source)
    : source_(std::move(source)),
      info_(source_.model.info()),
      first_layer_(first_layer(source_.plan, source_.model.hooks(), info_.n_layers)),
      needs_(source_.batch, info_, source_.reader, !source_.observed.empty()),
      base_(source_.base, source_.model, first_layer_),
      operands_(source_.compiler, source_.place, source_.model.parameters().get(model::Part::Embed).scalar_type()) {
  if (source_.donor != nullptr) donor_ = KeptRun(*source_.donor, source_.model, first_layer_);
  points_of_row_.resize(static_cast<std::size_t>(source_.batch.size()));
  for (Index point = 0; point < source_.reader.points(); ++point)
    points_of_row_[static_cast<std::size_t>(source_.reader.row_of(point))].push_back(point);
  const Index last = info_.n_layers - 1;
  base_at_ = at_points(base_.at(Point::ResidPost, last), source_.everywhere);
  if (source_.donor != nullptr) donor_at_ = at_points(donor_.at(Point::ResidPost, last), {});
  for (std::size_t m = 0; m < base_at_.size(); ++m) base_by_row_.push_back(source_.reader.by_row(m, base_at_[m]));
}

// [metric]: double [point]; `resid` [batch, pos, d_model] after the last block.
std::vector<at::Tensor> PackedCells::at_points(const at::Tensor& resid, std::span<const PackedEdit> edits) {
  std::vector<Lane> lanes;  // one a prompt, without changes of its own
  for (Index row = 0; row < source_.batch.size(); ++row)
    lanes.push_back({.row = row, .end = needs_.end(row), .edits = {}, .stream = {}});
  RowTap tap(source_.model.hooks(), edits, lanes);
  std::vector<const void*> from;
  std::vector<RowAt> at;
  for (Index point = 0; point < source_.reader.points(); ++point) {
    const Index row = source_.reader.row_of(point), pos = source_.reader.position_of(point);
    at.push_back({static_cast<std::int32_t>(row), static_cast<std::int32_t>(pos)});
    from.push_back(KeptRun::position(resid, row, pos));
  }
  AfterBlocks after(source_.model, tap, {std::move(at), gathered(from, {info_.d_model}, resid.options())});
  const at::Tensor all = at::arange(source_.reader.points(), at::TensorOptions(at::kLong));
  std::vector<at::Tensor> values = source_.reader.values_at(after.seen(all, all));
  operations_ += after.operations();
  return values;
}

// ---- from cells to lanes

bool PackedCells::can_differ(const PackedEdit& edit, Index row, Index pos, bool alone, Skip& why) const {
  const Point point = edit.point();
  const Index layer = std::max<Index>(0, edit.layer());
  const auto at = static_cast<std::size_t>(pos);
  why = Skip::NotRead;
  if (pos >= needs_.end(row)) return false;
  const bool after = stages::after_blocks(point);
  const bool before = stages::is_stream_before(point);
  const bool keys = stages::reaches_keys(point), queries = stages::reaches_queries(point);
  const bool needed = before || after ? needs_.stream(layer, row)[at] != 0
                                      : (keys && needs_.keys(layer, row)[at]) ||
                                            ((queries || !keys) && needs_.stream(layer + 1, row)[at]);
  if (!needed) return false;
  why = Skip::Future;
  const bool pairs = stages::in(stages::kPairs, point);
  if (pairs && edit.causal()) {
    const Index window = info_.window(layer), first_seen = window > 0 ? std::max<Index>(0, pos - window + 1) : 0;
    if (!edit.has_source(row, first_seen, pos)) return false;
  }
  why = Skip::SameTokens;
  if (!alone || !source_.equal || !edit.replaces_by_donor()) return true;
  if (pairs && !edit.causal()) return true;                  // entries come from other places
  const bool entering = before || after || keys || queries;  // of these the position's own stream decides
  const Index at_layer = entering ? layer : layer + 1;
  return pos >= source_.equal->in_place_until(row) || !source_.equal->entering(at_layer, row)[at];
}

Skip PackedCells::filter(LaneEdit& edit, Index row, bool alone) const {
  const auto& all = edit.edit->positions()[static_cast<std::size_t>(row)];
  Skip why = Skip::NotThere, last = Skip::NotThere;
  for (const Index pos : all) {
    if (can_differ(*edit.edit, row, pos, alone, last)) edit.positions.push_back(pos);
    else why = std::max(why, last);
  }
  return why;
}

// The lane's stream before its first layer.
void PackedCells::begin(Lane& lane, bool alone) const {
  const PackedEdit& first = *lane.edits.front().edit;
  const Index layer = std::max<Index>(0, first.layer());
  lane.first_layer = layer;
  lane.stream.assign(static_cast<std::size_t>(lane.end), kBase);
  lane.donor_serves = alone && source_.donor != nullptr && first.replaces_by_donor() && first.whole_vector() &&
                      donor_may_serve(first.point()) && source_.equal->in_place(lane.row, lane.end);
  if (!lane.donor_serves) return;
  lane.changed = true;  // where it cannot differ there is no lane
  const Marks& equal = source_.equal->entering(layer, lane.row);
  for (std::size_t pos = 0; pos < lane.stream.size(); ++pos)
    if (equal[pos]) lane.stream[pos] = kBase | kDonor;
}

void PackedCells::add_cell(Chunk& chunk, Index flat) const {
  const auto index = static_cast<Index>(chunk.cells.size());
  chunk.cells.push_back(flat);
  const CellSite site = source_.plan.cell(flat);
  const LayerRank rank = source_.plan.layer_rank(flat);
  chunk.skips.resize(chunk.cells.size() * static_cast<std::size_t>(source_.batch.size()), Skip::None);
  std::vector<const PackedEdit*> edits;
  for (const HookId id : site.ids) {
    LayerRank of = rank;
    of.layer = source_.model.hooks()[id].layer;
    chunk.edits.push_back(operands_.edit(site.change.spec(), id, site.where, of, site.vector));
    edits.push_back(&chunk.edits.back());
  }
  const bool alone = edits.size() == 1 && source_.everywhere.empty();
  for (Index row = 0; row < source_.batch.size(); ++row) {
    const auto at = static_cast<std::size_t>(index * source_.batch.size() + row);
    Lane lane{.cell = index, .row = row, .end = needs_.end(row), .edits = {}, .stream = {}};
    Skip why = Skip::NotThere;
    for (const PackedEdit* edit : edits) {
      LaneEdit own{.edit = edit, .positions = {}};
      why = std::max(why, filter(own, row, alone));
      if (!own.positions.empty()) lane.edits.push_back(std::move(own));
    }
    if (lane.edits.empty()) {
      chunk.skips[at] = why;
      continue;
    }
    begin(lane, alone);
    chunk.rows += lane.end - first_position(lane);
    chunk.lanes.push_back(std::move(lane));
  }
}

PackedCells::Chunk PackedCells::chunk(Index first, Index rows, Index cells) const {
  Chunk chunk;
  const Index end = std::min(source_.plan.cells(), first + cells);
  do add_cell(chunk, first++);
  while (chunk.rows < rows && first < end);
  return chunk;
}

std::vector<double> PackedCells::weights(Index first, Index end) const {
  const Index layer = (2 * info_.n_heads + 2 * info_.n_kv_heads) * info_.d_head + 2 * info_.d_mlp;  // columns
  const double unembedded =
      source_.reader.reads_vocabulary() ? static_cast<double>(info_.d_vocab) / static_cast<double>(layer) : 0;
  std::vector<double> out;
  for (Index flat = first; flat < end; ++flat) {
    const Chunk alone = chunk({flat});
    double weight = 0;
    for (const Lane& lane : alone.lanes) {
      weight += static_cast<double>((lane.end - first_position(lane)) * (info_.n_layers - lane.first_layer));
      weight += unembedded * static_cast<double>(points_of_row_[static_cast<std::size_t>(lane.row)].size());
    }
    out.push_back(weight);
  }
  return out;
}

PackedCells::Chunk PackedCells::chunk(std::vector<Index> cells) const {
  Chunk chunk;
  for (const Index flat : cells) add_cell(chunk, flat);
  return chunk;
}

std::vector<at::Tensor> PackedCells::of_donor(const at::Tensor& resid) {
  const std::vector<at::Tensor> at = at_points(resid.contiguous(), {});
  std::vector<at::Tensor> out;
  for (std::size_t m = 0; m < at.size(); ++m) out.push_back(source_.reader.by_row(m, at[m]));
  return out;
}

// ---- from lanes to values

// With the rows that only change after the blocks; before those they are the base run's.
Rows PackedCells::with_edits_after(const std::vector<Lane>& lanes, Rows rows) const {
  RowIndex index(lanes.size(), source_.batch.longest());
  index.add(rows.at);
  std::vector<const void*> from;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    for (const LaneEdit& edit : lanes[i].edits) {
      if (!stages::after_blocks(edit.edit->point())) continue;
      for (const Index pos : edit.positions) {
        if (index.has(static_cast<Index>(i), pos)) continue;
        index(static_cast<Index>(i), pos) = static_cast<std::int32_t>(rows.at.size());
        rows.at.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(pos)});
        from.push_back(base_.stream(info_.n_layers, lanes[i].row, pos));
      }
    }
  }
  if (!from.empty()) rows.value = at::cat({rows.value, gathered(from, {info_.d_model}, rows.value.options())});
  return rows;
}

void PackedCells::read(Chunk& chunk, Rows rows, RowTap& tap, ChunkResult& out) const {
  rows = with_edits_after(chunk.lanes, std::move(rows));
  RowIndex index(chunk.lanes.size(), std::max<Index>(1, source_.batch.longest()));
  index.add(rows.at);
  std::vector<Index> row_of, points;
  for (std::size_t i = 0; i < chunk.lanes.size(); ++i) {
    for (const Index point : points_of_row_[static_cast<std::size_t>(chunk.lanes[i].row)]) {
      const std::int32_t row = index(static_cast<Index>(i), source_.reader.position_of(point));
      if (row >= 0) points.push_back(point), row_of.push_back(row);
    }
  }
  AfterBlocks after(source_.model, tap, std::move(rows));
  const std::vector<at::Tensor> computed = source_.reader.values_at(after.seen(
      at::tensor(at::ArrayRef<Index>(points), at::kLong), at::tensor(at::ArrayRef<Index>(row_of), at::kLong)));
  out.operations += after.operations();

  for (std::size_t m = 0; m < out.values.size(); ++m) {
    const double* own = computed[m].const_data_ptr<double>();
    Index next = 0;
    for (std::size_t i = 0; i < chunk.lanes.size(); ++i) {
      const Lane& lane = chunk.lanes[i];
      double sum = 0;
      Index count = 0;
      for (const Index point : points_of_row_[static_cast<std::size_t>(lane.row)]) {
        const Index pos = source_.reader.position_of(point);
        const bool computed_here = index(static_cast<Index>(i), pos) >= 0;
        const auto& known =
            !computed_here && !(lane.stream[static_cast<std::size_t>(pos)] & kBase) ? donor_at_ : base_at_;
        const double value = computed_here ? own[next] : known[m].const_data_ptr<double>()[point];
        next += computed_here;
        if (!source_.reader.reads_at(m, point)) continue;
        sum += value;
        ++count;
      }
      if (count == 0 || !lane.changed) continue;  // no bit altered: the base run's number
      double& cell = out.values[m].mutable_data_ptr<double>()[lane.cell * source_.batch.size() + lane.row];
      if (std::isfinite(cell) && !std::isfinite(sum)) out.broken[static_cast<std::size_t>(lane.cell)] = 1;
      cell = sum / static_cast<double>(count);
    }
  }
}

ChunkResult PackedCells::run(Chunk chunk) const {
  const Index rows = source_.batch.size(), count = static_cast<Index>(chunk.cells.size());
  ChunkResult out;
  const at::Tensor nan = at::full({}, std::nan(""), at::kDouble);
  at::Tensor there = at::ones({count, rows}, at::kBool);
  for (std::size_t i = 0; i < chunk.skips.size(); ++i)
    there.mutable_data_ptr<bool>()[i] = chunk.skips[i] != Skip::NotThere;
  for (const at::Tensor& base : base_by_row_)
    out.values.push_back(at::where(there, base.unsqueeze(0).expand({count, rows}), nan).contiguous());
  out.unchanged.assign(static_cast<std::size_t>(count), 1);
  out.broken.assign(static_cast<std::size_t>(count), 0);
  out.skips = std::move(chunk.skips);
  std::optional<ObservedRows> observed;
  if (!source_.observed.empty()) observed.emplace(source_.observed, source_.base, count);
  if (!chunk.lanes.empty()) run_lanes(chunk, observed ? &*observed : nullptr, out);
  for (std::size_t i = 0; i < source_.observed.size(); ++i) out.observed.push_back(observed->value(i));
  return out;
}

void PackedCells::run_lanes(Chunk& chunk, ObservedRows* observed, ChunkResult& out) const {
  model::ExecutionPath kernels = source_.kernels;
  kernels.split_inputs = false;  // equal inputs share a norm and a product: only edited ones take a path of their own
  const WalkContext context{.model = source_.model,
                            .batch = source_.batch,
                            .needs = needs_,
                            .base = base_,
                            .donor = source_.donor != nullptr ? &donor_ : nullptr,
                            .everywhere = source_.everywhere,
                            .kernels = kernels};
  LaneWalk walk(context, chunk.lanes, observed);
  Rows last = walk.run();
  read(chunk, std::move(last), walk.tap(), out);
  for (const Lane& lane : chunk.lanes) {
    if (lane.changed) out.unchanged[static_cast<std::size_t>(lane.cell)] = 0;
  }
  out.operations += walk.operations();
}

}  // namespace diopter::engine
