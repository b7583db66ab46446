// What lanes hold at observed hook points: the base run's values, and over them the rows that lanes computed.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engine/packed/lane.hpp"
#include "engine/packed/rows.hpp"
#include "engine/source_runs.hpp"

namespace diopter::engine {

class ObservedRows {
 public:
  // `base`: whole values [batch, ...] at least at `ids`. Starts with `cells` copies of them.
  ObservedRows(const std::vector<HookId>& ids, const HookValues& base, Index cells);

  const std::vector<HookId>& ids() const noexcept { return ids_; }
  bool has(HookId id) const { return index_of(id) >= 0; }
  // One position's value of a lane, in the dtype of hook values.
  void put(HookId id, const Lane& lane, Index pos, const void* value);
  // Scores or pattern of one head and destination, to the first `count` sources.
  void put_pairs(HookId id, const Lane& lane, Index head, Index dest, const float* keys, Index count);

  const at::Tensor& value(std::size_t i) const { return values_[i]; }  // of ids()[i]: [cell, batch, ...]

 private:
  Index index_of(HookId id) const;

  std::vector<HookId> ids_;
  std::vector<at::Tensor> values_;
};

}  // namespace diopter::engine
