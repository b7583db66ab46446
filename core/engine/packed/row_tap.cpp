#include "engine/packed/row_tap.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.hpp"

namespace diopter::engine {

RowTap::RowTap(const HookTable& hooks, std::span<const PackedEdit> everywhere, std::vector<Lane>& lanes,
               ObservedRows* observed)
    : everywhere_(everywhere), lanes_(lanes), observed_(observed) {
  wanted_.assign(static_cast<std::size_t>(hooks.size()), 0);
  for (const PackedEdit& edit : everywhere_) wanted_[static_cast<std::size_t>(edit.id())] = 1;
  for (const Lane& lane : lanes_) {
    for (const LaneEdit& edit : lane.edits) wanted_[static_cast<std::size_t>(edit.edit->id())] = 1;
  }
  if (observed_ == nullptr) return;
  for (const HookId id : observed_->ids()) wanted_[static_cast<std::size_t>(id)] = 1;
}

at::Tensor RowTap::at(HookId id, at::Tensor value) {
  DIOPTER_CHECK(rows_ != nullptr && value.size(0) == 1 && value.size(1) == static_cast<Index>(rows_->size()),
                "a packed value does not have the rows it was announced with");
  Rows rows{.at = *rows_, .value = value[0].clone(at::MemoryFormat::Contiguous)};
  apply_everywhere(id, rows);
  apply_own(id, rows);
  return rows.value.unsqueeze(0);
}

bool RowTap::wants_of_all(HookId id) const {
  return observes(id) ||
         std::any_of(everywhere_.begin(), everywhere_.end(), [id](const PackedEdit& edit) { return edit.id() == id; });
}

void RowTap::apply_everywhere(HookId id, Rows& rows) const {
  if (!wants(id)) return;
  for (const PackedEdit& edit : everywhere_) {
    if (edit.id() != id) continue;
    for (Index i = 0; i < rows.size(); ++i) {
      const RowAt at = rows.at[static_cast<std::size_t>(i)];
      const Index row = lanes_[static_cast<std::size_t>(at.lane)].row;
      if (edit.touches(row, at.pos)) edit.apply(rows.row(i), row, at.pos);
    }
  }
}

void RowTap::apply_own(HookId id, Rows& rows) {
  if (!wants(id)) return;
  const bool observed = observes(id);
  for (Index i = 0; i < rows.size(); ++i) {
    const RowAt at = rows.at[static_cast<std::size_t>(i)];
    Lane& lane = lanes_[static_cast<std::size_t>(at.lane)];
    const LaneEdit* own = lane.edit_at(id);
    if (own != nullptr && own->acts_at(at.pos) && own->edit->apply(rows.row(i), lane.row, at.pos)) lane.changed = true;
    if (observed) observed_->put(id, lane, at.pos, rows.row(i));
  }
}

void RowTap::apply_pairs(HookId id, Index lane_index, Index dest, Index head, float* keys, Index count, bool fresh) {
  if (!wants(id)) return;
  Lane& lane = lanes_[static_cast<std::size_t>(lane_index)];
  for (const PackedEdit& edit : everywhere_) {
    if (fresh && edit.id() == id && edit.has_head(head) && edit.touches(lane.row, dest))
      edit.apply_pair(keys, count, lane.row, head, dest);
  }
  const LaneEdit* own = lane.edit_at(id);
  if (own != nullptr && own->edit->has_head(head) && own->acts_at(dest) &&
      own->edit->apply_pair(keys, count, lane.row, head, dest))
    lane.changed = true;
  if (observes(id)) observed_->put_pairs(id, lane, head, dest, keys, count);
}

}  // namespace diopter::engine
