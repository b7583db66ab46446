#include "engine/edit_compiler.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include <diopter/error.hpp>

#include "base/hints.hpp"
#include "engine/custom_edit.hpp"

namespace diopter::engine {
namespace {

using Op = ChangeSpec::Op;

// [batch, pos] -> broadcastable along every position dimension of the point.
at::Tensor at_positions(const at::Tensor& batch_by_pos, const HookPoint& point) {
  at::Tensor all;
  for (std::size_t dim = 0; dim < point.dims.size(); ++dim) {
    const Text name = point.dims[dim];
    if (name != "pos" && name != "dest" && name != "src") continue;
    std::vector<Index> shape(point.dims.size(), 1);
    shape[0] = batch_by_pos.size(0);
    shape[dim] = batch_by_pos.size(1);
    const at::Tensor here = batch_by_pos.view(shape);
    all = all.defined() ? all & here : here;
  }
  return all;
}

std::vector<bool> rows_touched(const at::Tensor& mask) {
  const at::Tensor any = mask.reshape({mask.size(0), -1}).any(1).to(at::kCPU);
  const bool* begin = any.const_data_ptr<bool>();
  return std::vector<bool>(begin, begin + any.numel());
}

// Masked attention scores are -inf and stay so: zeroing or scaling them would let a token see the future.
at::Tensor seen_only(const at::Tensor& mask, const at::Tensor& value) {
  return mask & (value != -std::numeric_limits<double>::infinity());
}

at::Tensor positions_of(const StepRows& step) { return at::tensor(at::ArrayRef<Index>(step.position), at::kLong); }

double only_factor(const ChangeSpec& change) {
  if (change.factors.values().size() != 1)
    throw Error("a list of coefficients makes an axis; take one of Edits::cells() or sweep it");
  return change.factors.values().front();
}

}  // namespace

std::vector<EditedPoint> points_of(const Edits::Item& item, const HookTable& hooks, const ModelInfo& info) {
  const std::vector<HookId> ids = hooks.resolve(item.points);
  std::set<Index> layers;
  for (const HookId id : ids) layers.insert(hooks[id].layer);
  std::vector<EditedPoint> points;
  for (const HookId id : ids) {
    const Index layer = hooks[id].layer;
    points.push_back({id,
                      {.layer = layer,
                       .rank = static_cast<Index>(std::distance(layers.begin(), layers.find(layer))),
                       .count = static_cast<Index>(layers.size()),
                       .model = info.n_layers}});
  }
  return points;
}

bool reaches_generated(const ChangeSpec& change) {
  return change.op != Op::Freeze && !(change.op == Op::Replace && (change.donor || change.from));
}

void EditCompiler::want(const ChangeSpec& change, HookId id, const at::Tensor& align) {
  if (change.op == Op::Replace && change.donor) sources_.want_donor(*change.donor, align, id);
  if (change.op == Op::Mean) sources_.want_mean(change.donor.value(), id);
  if (change.op == Op::Freeze) sources_.want_unedited(id);
}

EditCompiler::Replacement EditCompiler::captured(const CaptureData& from, HookId id) const {
  const HookPoint& point = place_.hooks[id];
  const auto found = std::find_if(from.items.begin(), from.items.end(),
                                  [&](const Capture::Item& item) { return item.first.name == point.name; });
  if (found == from.items.end())
    throw Error(fmt::format("'{}' is replaced from a capture that does not hold it; capture it too", point.name));
  const RowBatch donor = beside(place_.batch, from.rows, place_.info);
  const at::Tensor& value = found->second;
  const Index longest = from.rows.lengths().max().item<Index>();
  if (value.sizes() != at::IntArrayRef(place_.hooks.shape(id, from.rows.size(), longest))) {
    throw Error(fmt::format("'{}' is replaced from a capture of a part of it; capture the whole value", point.name));
  }
  const at::Tensor rows = place_.batch.of_call(value);
  const AlignedValue placed = aligned(rows, point, place_.batch.rows.aligned_to(donor.rows));
  return {placed.value.to(values_), placed.available};
}

EditCompiler::Replacement EditCompiler::mean(const ChangeSpec& change, HookId id, const Selection& selection) const {
  const MeanValue& mean = sources_.mean(*change.donor, id);
  const HookPoint& point = place_.hooks[id];
  if (change.mean == Mean::OverPositions) {
    if (!mean.over_positions.defined()) {
      throw Error(fmt::format(
          "a mean over positions has no meaning at '{}', whose entries are pairs of positions; take it per position",
          point.name));
    }
    return {mean.over_positions, {}};
  }
  const RowBatch& batch = place_.batch;
  for (Index row = 0; row < batch.size(); ++row) {
    Index last = selection.positions().last(row);
    if (last != kUnset && batch.step) last = batch.step->position[static_cast<std::size_t>(row)];
    if (last == kUnset || last < mean.positions) continue;
    throw Error(
        fmt::format("the mean at '{}' is asked for position {}, but the longest reference prompt has {} tokens; give "
                    "longer ones, or take the mean over positions",
                    point.name, last, mean.positions));
  }
  // [pos, ...] -> [1 or batch, pos, ...]; positions beyond the reference are not selected: any value does.
  at::Tensor value = mean.by_position.unsqueeze(0);
  for (Index dim = 1; dim < static_cast<Index>(point.dims.size()); ++dim) {
    const Text name = point.dims[static_cast<std::size_t>(dim)];
    if (name != "pos" && name != "dest" && name != "src") continue;
    const bool own = batch.step && name != "src";  // each row's one query stands elsewhere
    const at::Tensor index =
        own ? positions_of(*batch.step) : at::arange(name == "src" ? batch.keys() : batch.longest());
    value = value.index_select(dim, index.clamp_max(mean.positions - 1).to(value.device()));
    if (own) value = value.transpose(0, dim);
  }
  return {value, {}};
}

EditCompiler::Replacement EditCompiler::replacement(const ChangeSpec& change, HookId id, const Selection& selection,
                                                    const LayerRank& layer) const {
  switch (change.op) {
    case Op::Zero: return {at::zeros({}, values_), {}};
    case Op::Mean: return mean(change, id, selection);
    case Op::Freeze: return {sources_.unedited(id), {}};
    default: break;
  }
  if (change.donor) {
    const AlignedValue& donor = sources_.donor(*change.donor, id);
    return {donor.value, donor.available};
  }
  if (change.from) return captured(*change.from, id);
  return {
      selection.spread(laid_out(change.value, change.per, layer, place_.hooks[id], selection, place_.batch, values_)),
      {}};
}

EditCompiler::Replacement EditCompiler::operand(const ChangeSpec& change, HookId id, const Where& where,
                                                const LayerRank& layer) const {
  return replacement(change, id, Selection(where, id, place_), layer);
}

bool EditCompiler::mean_reaches(const ChangeSpec& change, HookId id, Index positions) const {
  return change.mean == Mean::OverPositions || sources_.mean(*change.donor, id).positions >= positions;
}

BoundChange EditCompiler::bind(const ChangeSpec& change, HookId id, const Where& where, Index number,
                               const LayerRank& layer) const {
  const HookPoint& point = place_.hooks[id];
  if (place_.batch.step && !reaches_generated(change)) {
    return {{.id = id, .number = number, .apply = {}},
            std::vector<bool>(static_cast<std::size_t>(place_.batch.size()), false)};
  }
  const Selection selection(where, id, place_);
  const bool scores = place_.hooks.point(id) == Point::AttnScores;
  at::Tensor mask = selection.mask();
  BoundEdit edit{.id = id, .number = number, .apply = {}};
  switch (change.op) {
    case Op::Custom:
      edit.apply = [fn = change.edit, mask, &point, everything = selection.everything()](const at::Tensor& value) {
        const at::Tensor returned = guarded(fn, value, point);
        return everything ? returned : at::where(mask, returned, value);
      };
      break;
    case Op::Add: {
      const at::Tensor part = laid_out(change.value, change.per, layer, point, selection, place_.batch, values_);
      edit.apply = [mask, step = selection.spread(part * only_factor(change))](const at::Tensor& value) {
        return at::where(mask, value + step, value);
      };
      break;
    }
    case Op::Scale:
      edit.apply = [mask, scores, factor = only_factor(change)](const at::Tensor& value) {
        return at::where(scores ? seen_only(mask, value) : mask, value * factor, value);
      };
      break;
    default: {
      Replacement with = replacement(change, id, selection, layer);
      if (with.available.defined()) mask = mask & at_positions(with.available, point);
      edit.apply = [mask, with = std::move(with.value),
                    keep = scores && change.op == Op::Zero](const at::Tensor& value) {
        return at::where(keep ? seen_only(mask, value) : mask, with, value);
      };
    }
  }
  return {std::move(edit), rows_touched(mask)};
}

void EditCompiler::want(const Edits::Item& item) {
  for (const HookId id : place_.hooks.resolve(item.points)) want(item.change.spec(), id);
}

std::vector<BoundEdit> EditCompiler::bind(const Edits::Item& item, Index number, const std::string& kind) const {
  std::vector<BoundEdit> edits;
  for (const auto& [id, layer] : points_of(item, place_.hooks, place_.info)) {
    const HookPoint& point = place_.hooks[id];
    BoundChange change = bind(item.change.spec(), id, item.where, number, layer);
    for (std::size_t row = 0; row < change.touches.size(); ++row) {
      if (change.touches[row] || left_out(item.where, place_.batch, static_cast<Index>(row))) continue;
      throw Error(fmt::format(
          "edit {} {}at '{}' selects positions {} of a {} token prompt and would never fire; correct the positions.",
          number, kind.empty() ? "" : fmt::format("of kind {} ", base::quoted(kind)), point.name,
          text_of(item.where.positions), place_.batch.lengths[row]));
    }
    edits.push_back(std::move(change.edit));
  }
  return edits;
}

}  // namespace diopter::engine
