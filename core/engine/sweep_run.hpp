// Runs a sweep: one plain forward per cell that can differ from the base run, in order.
#pragma once

#include <deque>
#include <set>
#include <vector>

#include "engine/sweep_batch.hpp"

namespace diopter::engine {

class SweepRun {
 public:
  // All checks that need no forward; `sweep` must outlive it.
  SweepRun(Runner& runner, const Sweep& sweep, const TokenCodec* codec, const SessionOptions& options);

  Cells run();

 private:
  void check_kept_values_fit() const;
  Index bytes_of(HookId id) const;  // of one point's values for all rows
  LayerRank layer_rank(Index flat) const;
  void start();
  void run_cell(Index flat);
  void emit_chunk(Index end, bool last);
  double rounding() const;  // of a forward in the model's dtype, as a share of the largest logit
  void verify();
  std::vector<at::Tensor> plain(Index flat);  // [metric]: double [prompt]: row by row, without padding or skipping
  Cells finish();

  Runner& runner_;
  const Sweep& sweep_;
  const TokenCodec* codec_;
  SessionOptions options_;
  Index budget_, max_rows_ = 1;
  std::optional<SweepPlan> plan_;
  ForwardPath path_;
  std::vector<HookId> observed_;
  std::vector<RowBatch> rows_;
  std::deque<SweepBatch> batches_;

  std::vector<at::Tensor> values_;             // [metric]: double [cell, prompt]
  std::vector<std::vector<at::Tensor>> kept_;  // [observed point][cell of the chunk]
  Index chunk_first_ = 0, chunk_cells_ = 1;
  std::vector<Index> computed_;       // cells with a number: what verify draws from
  Index unchanged_ = 0, broken_ = 0;  // computed cells: no bit altered; a number that is not finite
  Counts counts_;
};

}  // namespace diopter::engine
