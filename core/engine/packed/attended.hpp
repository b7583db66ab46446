// What the lanes of one layer attend with, and where their z go.
#pragma once

#include "engine/packed/lane_walk.hpp"

namespace diopter::engine {

struct LaneWalk::Attended {
  RowIndex q_at, kv_at;
  at::Tensor q, k, v;          // float [row, head, e], of q [.., n_heads, e], of k and v [.., n_kv_heads, e]
  std::vector<RowAt> at = {};  // rows of z
  at::Tensor z = {};           // float [row, head, e]
  RowIndex z_at;
  std::vector<std::uint8_t> from_base = {};  // [row * head] 1: this head's z is the base run's
};

}  // namespace diopter::engine
