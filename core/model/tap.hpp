// How the forward pass shows its values, and lets them be changed.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include <diopter/hook_name.hpp>

namespace diopter::model {

// One per forward; called on the forward's thread, at every point that it wants, in firing order (HookTable), each
// once.
class Tap {
 public:
  virtual ~Tap() = default;

  // A point nobody wants costs this lookup: its value is not made, and the forward may reuse its memory.
  bool wants(HookId id) const noexcept {
    return id >= 0 && static_cast<std::size_t>(id) < wanted_.size() && wanted_[static_cast<std::size_t>(id)] != 0;
  }

  // `value` has the shape of HookTable::shape. It may be a view (strided, expanded); never write into it. The forward
  // does not write into it either, once it was shown: it may be kept without a copy. Returns `value` itself, or a
  // tensor of the same shape, dtype and device that replaces it for every consumer.
  virtual at::Tensor at(HookId id, at::Tensor value) = 0;

 protected:
  std::vector<std::uint8_t> wanted_;  // [hook id] 1: wanted; shorter is allowed
};

}  // namespace diopter::model
