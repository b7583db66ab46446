// What a piece of the forward uses to show its values to a tap.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <utility>

#include "model/tap.hpp"

namespace diopter::model {

class Shown {
 public:
  using Ids = std::array<HookId, static_cast<std::size_t>(Point::Count)>;

  Shown(Tap* tap, const Ids& ids) noexcept : tap_(tap), ids_(&ids) {}

  bool wants(Point point) const noexcept { return tap_ != nullptr && tap_->wants(id(point)); }

  // The value to go on with.
  at::Tensor at(Point point, at::Tensor value) const {
    return wants(point) ? show(id(point), std::move(value)) : std::move(value);
  }

 private:
  HookId id(Point point) const noexcept { return (*ids_)[static_cast<std::size_t>(point)]; }
  at::Tensor show(HookId id, at::Tensor value) const;

  Tap* tap_;
  const Ids* ids_;
};

// Whether the forward must go on from `returned` where it would not have needed `shown`: it is another value, or a
// gradient flows through it. Equal values do not count: an edit by identity leaves the output bit-equal.
bool replaces(const at::Tensor& returned, const at::Tensor& shown);

}  // namespace diopter::model
