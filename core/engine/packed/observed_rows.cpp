#include "engine/packed/observed_rows.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

namespace diopter::engine {

ObservedRows::ObservedRows(const std::vector<HookId>& ids, const HookValues& base, Index cells) : ids_(ids) {
  for (const HookId id : ids_) {
    const at::Tensor& whole = base.at(id);
    std::vector<Index> shape = whole.sizes().vec();
    shape.insert(shape.begin(), cells);
    values_.push_back(whole.unsqueeze(0).expand(shape).clone(at::MemoryFormat::Contiguous));
  }
}

Index ObservedRows::index_of(HookId id) const {
  const auto found = std::find(ids_.begin(), ids_.end(), id);
  return found == ids_.end() ? -1 : found - ids_.begin();
}

void ObservedRows::put(HookId id, const Lane& lane, Index pos, const void* value) {
  at::Tensor& to = values_[static_cast<std::size_t>(index_of(id))];
  const Index offset = lane.cell * to.stride(0) + lane.row * to.stride(1) + pos * to.stride(2);
  std::memcpy(static_cast<char*>(to.mutable_data_ptr()) + offset * static_cast<Index>(to.itemsize()), value,
              static_cast<std::size_t>(to.stride(2)) * to.itemsize());
}

void ObservedRows::put_pairs(HookId id, const Lane& lane, Index head, Index dest, const float* keys, Index count) {
  at::Tensor& whole = values_[static_cast<std::size_t>(index_of(id))];
  at::Tensor to = whole[lane.cell][lane.row][head][dest].narrow(0, 0, count);
  to.copy_(at::from_blob(const_cast<float*>(keys), {count}, at::kFloat));  // read only
}

}  // namespace diopter::engine
