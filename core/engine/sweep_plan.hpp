// A sweep's axes, filled in, and what each cell changes.
#pragma once

#include <vector>

#include <diopter_host/specs.hpp>

#include "engine/row_batch.hpp"
#include "engine/value_layout.hpp"

namespace diopter::engine {

// One cell: where its change acts, and the change itself.
struct CellSite {
  std::vector<HookId> ids;
  Where where;
  Change change;
  Index vector = 0;  // which of a list of vectors
};

class SweepPlan {
 public:
  // Error for an unknown axis, one given twice or without meaning for the hooks or the change, an index out of range, a
  // list in the change that no axis walks. `longest`: of the rows it patches into.
  SweepPlan(const Sweep& sweep, const ModelInfo& info, const HookTable& hooks, Index longest);

  const std::vector<Axis>& axes() const noexcept { return axes_; }  // every list filled in; names are static text
  Index cells() const noexcept { return cells_; }
  std::vector<Index> shape() const;
  CellSite cell(Index flat) const;         // row-major, last axis fastest
  LayerRank layer_rank(Index flat) const;  // of the cell's layers in a tensor per layer
  bool several_points() const;             // some cell changes more than one hook point
  // Every hook point that some cell changes, in firing order.
  const std::vector<HookId>& points() const noexcept { return points_; }

 private:
  void add_axis(const Axis& axis, const Sweep& sweep, const ModelInfo& info, Index longest);

  const Sweep& sweep_;
  Index model_layers_;
  std::vector<Axis> axes_;
  std::vector<HookId> points_;
  std::vector<std::vector<std::vector<HookId>>> by_site_and_layer_;  // [site axis index or 0][layer axis index or 0]
  Index cells_ = 1;
};

}  // namespace diopter::engine
