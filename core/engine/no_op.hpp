// Which rows of a sweep's cell cannot differ from the base run, by reasoning: equal tokens and causality, never by
// comparing bits.
#pragma once

#include "engine/metric_reader.hpp"
#include "engine/source_runs.hpp"
#include "engine/sweep_plan.hpp"

namespace diopter::engine {

class NoOps {
 public:
  // `donor`: undefined parts when the change has no donor prompts.
  struct Donor {
    std::vector<Index> equal_prefix;  // [row]: positions below have equal tokens
    at::Tensor align;                 // int64 [batch, pos]
  };
  NoOps(const Sweep& sweep, const HookTable& hooks, Index n_layers, const MetricReader& reader, Donor donor);

  // `dest`, `src` (null: all sources, or the points have none): what the cell changes in this row.
  bool cannot_differ(const CellSite& cell, Index row, const RowPositions& dest, const RowPositions* src) const;

 private:
  bool after_what_is_read(Index row, const RowPositions& dest) const;
  bool away_from_what_is_read(const CellSite& cell, Index row, const RowPositions& dest) const;
  bool donor_is_equal(Index row, const RowPositions& dest) const;
  bool sources_stay(Index row, const RowPositions* src) const;
  bool in_the_future(Index row, const RowPositions& dest, const RowPositions& src) const;
  Index in_donor(Index row, Index pos) const;  // the donor's position; kUnset: none
  bool stays_in_place(Index row, Index pos) const { return in_donor(row, pos) == pos; }

  const HookTable& hooks_;
  Index n_layers_;
  const MetricReader& reader_;
  Donor donor_;
  bool enabled_;
};

}  // namespace diopter::engine
