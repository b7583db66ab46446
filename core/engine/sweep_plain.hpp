// A sweep by definition: one plain forward per cell that can differ from the base run, in order.
#pragma once

#include <deque>
#include <vector>

#include "engine/sweep_batch.hpp"
#include "engine/sweep_values.hpp"

namespace diopter::engine {

class PlainSweep {
 public:
  // `observed`: kept of each cell. `budget`: bytes.
  PlainSweep(Runner& runner, const Sweep& sweep, const SweepPlan& plan, const ForwardPath& path,
             std::vector<HookId> observed, const TokenCodec* codec, const SessionOptions& options, Index budget);

  void run(SweepValues& into);

 private:
  void check_kept_values_fit() const;
  Index bytes_of(HookId id) const;  // of one point's values for all rows
  void start(SweepValues& into);
  void run_cell(Index flat, SweepValues& into);
  void emit_chunk(Index end, bool last, SweepValues& into);

  Runner& runner_;
  const Sweep& sweep_;
  const SweepPlan& plan_;
  ForwardPath path_;
  std::vector<HookId> observed_;
  const TokenCodec* codec_;
  const SessionOptions& options_;
  Index budget_;
  std::deque<SweepBatch> batches_;
  std::vector<std::vector<at::Tensor>> kept_;  // [observed point][cell of the chunk]
  Index chunk_first_ = 0, chunk_cells_ = 1;
};

}  // namespace diopter::engine
