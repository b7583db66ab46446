// A sweep whose cells are served from the base run: batches of prompts one after the other, on each of them chunks of
// cells, each chunk computed by one thread. If values of the cells are observed, the cells come in groups whose values
// fit into memory, each group on all batches.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/sweep_batch.hpp"
#include "engine/sweep_journal.hpp"
#include "engine/sweep_values.hpp"

namespace diopter::engine {

class PackedSweep {
 public:
  // `journal`: where finished cells are kept; may be empty. `budget`: bytes. Error when it holds not even one prompt's
  // values.
  PackedSweep(Runner& runner, const Sweep& sweep, const SweepPlan& plan, const ForwardPath& path,
              std::vector<HookId> observed, const TokenCodec* codec, const SessionOptions& options, Index budget,
              std::filesystem::path journal);

  // False when an edit of all cells lets a query see what its mask hides: then every cell needs a forward of its own.
  bool run(SweepValues& into);

 private:
  struct Work;
  Index bytes_per_prompt(Index positions) const;  // of the base run's and the donor's kept values
  std::vector<RowBatch> batches() const;
  std::string identity() const;
  Index chunk_rows() const;
  Index group_cells() const;
  std::unique_ptr<SweepBatch> prepared(const RowBatch& rows, bool first_time, SweepValues& into);
  void run_batch(const SweepBatch& batch, Index which, bool last, Index end, SweepValues& into);
  void make_room(const RowBatch& rows, Index cells);
  void put(Index first, Index end, const ChunkResult& result, const SweepBatch& batch, SweepValues& into);
  void emit(Index end, SweepValues& into);
  void count_cells(SweepValues& into) const;

  Runner& runner_;
  const Sweep& sweep_;
  const SweepPlan& plan_;
  ForwardPath path_;
  std::vector<HookId> observed_ids_;
  const TokenCodec* codec_;
  const SessionOptions& options_;
  Index budget_, longest_;
  std::vector<std::uint8_t> computed_, there_, unchanged_, broken_;  // [cell]
  std::map<Skip, Index> skips_;                                      // pairs of a cell and a prompt
  Index pairs_done_ = 0, emitted_ = 0;                               // pairs of a cell and a prompt; cells
  std::vector<std::vector<at::Tensor>> observed_;  // [point][batch of prompts]: of the cells not yet emitted
  std::optional<SweepJournal> journal_;
};

}  // namespace diopter::engine
