// Rotary position embedding (Su et al. 2021) in the half-split form of transformers: of the first r entries of a head's
// q and k, the pair (i, i + r/2) turns by position * frequency i.
#pragma once

#include <ATen/core/Tensor.h>

#include <diopter/model_info.hpp>

namespace diopter::model {

struct Angles {
  at::Tensor cos, sin;  // [..., pos, r/2], of the positions asked for
};

// Immutable.
class Rotary {
 public:
  Rotary() = default;
  // In float32, cast to the dtype of `like` as transformers does; on its device. Nothing for other kinds of positions.
  Rotary(const ModelInfo& info, const at::Tensor& like);

  Angles at_range(Index first, Index count) const;         // [count, r/2]
  Angles at_positions(const at::Tensor& positions) const;  // int64 of any shape -> [..., r/2]
  // x [..., pos, head, d_head]; the angles' leading axes broadcast against x's.
  at::Tensor turned(const at::Tensor& x, const Angles& angles) const;

 private:
  Angles computed(const at::Tensor& positions) const;

  at::Tensor frequencies_;  // [r/2], float32
  Angles table_;            // of the first positions
  at::ScalarType dtype_ = at::kFloat;
  Index dims_ = 0;
};

}  // namespace diopter::model
