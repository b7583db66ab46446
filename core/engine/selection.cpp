#include "engine/selection.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <diopter/error.hpp>

namespace diopter::engine {
namespace {

Index dim_of(const HookPoint& point, Text name) {
  const auto found = std::find(point.dims.begin(), point.dims.end(), name);
  return found == point.dims.end() ? -1 : static_cast<Index>(found - point.dims.begin());
}

[[noreturn]] void no_dimension(const HookPoint& point, Text what) {
  std::string dims;
  for (const Text dim : point.dims) dims += fmt::format("{}{}", dims.empty() ? "" : ", ", dim);
  throw Error(fmt::format(
      "{} were selected at '{}', which has none (its dimensions: {}); leave them out or choose another hook", what,
      point.name, dims));
}

// With as many kv heads as heads both words mean the same.
Index head_dim(const HookPoint& point, Text name, const ModelInfo& info) {
  const Index dim = dim_of(point, name);
  if (dim >= 0 || info.n_heads != info.n_kv_heads) return dim;
  return dim_of(point, name == "head" ? "kv_head" : "head");
}

// Positions by slot, as tensors.
struct Slots {
  at::Tensor position;  // int64 [batch, slot], 0 where there is none
  at::Tensor there;     // bool [batch, slot]
};

Slots slots_of(const RowPositions& positions) {
  const auto rows = static_cast<Index>(positions.of.size());
  Slots out{at::zeros({rows, positions.slots}, at::kLong), at::zeros({rows, positions.slots}, at::kBool)};
  auto position = out.position.accessor<Index, 2>();
  auto there = out.there.accessor<bool, 2>();
  for (Index row = 0; row < rows; ++row) {
    for (Index slot = 0; slot < positions.slots; ++slot) {
      const Index pos = positions.of[static_cast<std::size_t>(row)][static_cast<std::size_t>(slot)];
      if (pos == kUnset) continue;
      position[row][slot] = pos;
      there[row][slot] = true;
    }
  }
  return out;
}

}  // namespace

Selection::Selection(const Where& where, HookId id, const Place& place)
    : queries_(place.batch.longest()), keys_(place.batch.keys()), real_(place.batch.real) {
  const HookPoint& point = place.hooks[id];
  whole_ = place.hooks.shape(id, place.batch.size(), queries_);
  rank_ = static_cast<Index>(whole_.size());
  const Index dest = dim_of(point, "dest");
  pos_dim_ = dest >= 0 ? dest : dim_of(point, "pos");
  src_dim_ = dim_of(point, "src");
  if (src_dim_ >= 0) whole_[static_cast<std::size_t>(src_dim_)] = keys_;
  pos_selected_ = !where.positions.is_all();
  src_selected_ = !where.sources.is_all();
  sizes_ = whole_;

  positions_ = resolve(where.positions, place.batch, place.codec);
  mask_ = along(pos_dim_, mask_of(positions_, queries_));
  everything_ = !pos_selected_ && !place.batch.padded();
  if (pos_selected_) sizes_[static_cast<std::size_t>(pos_dim_)] = positions_.slots;

  if (src_selected_ && src_dim_ < 0) no_dimension(point, "sources");
  if (src_dim_ >= 0) {
    sources_ = resolve(where.sources, place.batch, place.codec, Dimension::Keys);
    mask_ = mask_ & along(src_dim_, mask_of(*sources_, keys_));
    everything_ = everything_ && !src_selected_ && !place.batch.step;
    if (src_selected_) sizes_[static_cast<std::size_t>(src_dim_)] = sources_->slots;
  }
  const auto pick_in = [&](const std::vector<Index>& indices, Text what, Index dim, Index size) {
    if (indices.empty()) return;
    if (dim < 0) no_dimension(point, what);
    pick(indices, what, dim, size, place);
  };
  pick_in(where.heads, "heads", head_dim(point, "head", place.info), place.info.n_heads);
  pick_in(where.kv_heads, "kv_heads", head_dim(point, "kv_head", place.info), place.info.n_kv_heads);
  pick_in(where.neurons, "neurons", dim_of(point, "neuron"), place.info.d_mlp);
  mask_ = mask_.to(place.device);
}

void Selection::pick(const std::vector<Index>& indices, Text what, Index dim, Index size, const Place& place) {
  at::Tensor chosen = at::zeros({size}, at::kBool);
  std::vector<Index> absolute;
  for (const Index index : indices) {
    const Index at = index < 0 ? index + size : index;
    if (at < 0 || at >= size) {
      throw Error(fmt::format("{} {} is out of range: {} has {} 0..{}", what.substr(0, what.size() - 1), index,
                              place.info.name, what, size - 1));
    }
    chosen[at] = true;
    absolute.push_back(at);
  }
  std::vector<Index> shape(static_cast<std::size_t>(rank_), 1);
  shape[static_cast<std::size_t>(dim)] = size;
  mask_ = mask_ & chosen.view(shape);
  everything_ = false;
  sizes_[static_cast<std::size_t>(dim)] = static_cast<Index>(absolute.size());
  picks_.push_back({dim, at::tensor(at::ArrayRef<Index>(absolute), at::kLong)});
}

std::vector<Selection::Walk> Selection::walks() const {
  std::vector<Walk> walks;
  if (pos_selected_) walks.push_back({pos_dim_, &positions_});
  if (src_selected_) walks.push_back({src_dim_, &*sources_});
  return walks;
}

at::Tensor Selection::along(Index dim, at::Tensor batch_by_pos) const {
  std::vector<Index> shape(static_cast<std::size_t>(rank_), 1);
  shape[0] = batch_by_pos.size(0);
  shape[static_cast<std::size_t>(dim)] = batch_by_pos.size(1);
  return batch_by_pos.view(shape);
}

std::vector<Index> Selection::rows_without() const {
  std::vector<Index> rows;
  for (Index row = 0; row < static_cast<Index>(positions_.of.size()); ++row) {
    if (positions_.empty(row) || (sources_ && sources_->empty(row))) rows.push_back(row);
  }
  return rows;
}

at::Tensor Selection::narrow(const at::Tensor& value) const {
  at::Tensor part = value;
  for (const Pick& pick : picks_) part = part.index_select(pick.dim, pick.indices.to(value.device()));
  const auto nan_where_missing = [&](Index dim, const at::Tensor& there) {
    if (!there.all().item<bool>())
      part = at::where(along(dim, there).to(value.device()), part, at::scalar_tensor(std::nan(""), value.options()));
  };
  for (const Walk& walk : walks()) {
    const Slots slots = slots_of(*walk.positions);
    std::vector<Index> shape = part.sizes().vec();
    shape[static_cast<std::size_t>(walk.dim)] = walk.positions->slots;
    part = part.gather(walk.dim, along(walk.dim, slots.position).to(value.device()).expand(shape));
    nan_where_missing(walk.dim, slots.there);
  }
  if (!pos_selected_) nan_where_missing(pos_dim_, real_);
  if (src_dim_ >= 0 && !src_selected_) nan_where_missing(src_dim_, real_);
  return part;
}

at::Tensor Selection::spread(const at::Tensor& part) const {
  at::Tensor whole = part;
  for (const Pick& pick : picks_) {
    if (whole.size(pick.dim) == 1) continue;
    at::Tensor slot = at::zeros({whole_[static_cast<std::size_t>(pick.dim)]}, at::kLong);
    slot.index_put_({pick.indices}, at::arange(pick.indices.numel()));
    whole = whole.index_select(pick.dim, slot.to(part.device()));
  }
  for (const Walk& walk : walks()) {
    if (whole.size(walk.dim) == 1) continue;
    const Index rows = static_cast<Index>(walk.positions->of.size());
    at::Tensor slot = at::zeros({rows, whole_[static_cast<std::size_t>(walk.dim)]}, at::kLong);
    auto cells = slot.accessor<Index, 2>();
    for (Index row = 0; row < rows; ++row) {
      const auto& of_row = walk.positions->of[static_cast<std::size_t>(row)];
      for (std::size_t i = 0; i < of_row.size(); ++i) {
        if (of_row[i] != kUnset) cells[row][of_row[i]] = static_cast<Index>(i);
      }
    }
    std::vector<Index> from = whole.sizes().vec(), to = from;
    from[0] = to[0] = rows;
    to[static_cast<std::size_t>(walk.dim)] = whole_[static_cast<std::size_t>(walk.dim)];
    whole = whole.expand(from).gather(walk.dim, along(walk.dim, slot).to(part.device()).expand(to));
  }
  return whole;
}

}  // namespace diopter::engine
