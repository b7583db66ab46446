// Runs a sweep: chooses how, verifies, and makes what the plugin gets.
#pragma once

#include <optional>
#include <vector>

#include "engine/sweep_packed.hpp"
#include "engine/sweep_plain.hpp"

namespace diopter::engine {

class SweepRun {
 public:
  // All checks that need no forward; `sweep` must outlive it.
  // `journal`: the file that keeps finished cells until the run succeeds; empty: none.
  SweepRun(Runner& runner, const Sweep& sweep, const TokenCodec* codec, const SessionOptions& options,
           std::filesystem::path journal = {});

  Cells run();

 private:
  void compute();
  double rounding() const;  // of a forward in the model's dtype, as a share of the largest logit
  void verify();
  void measure_precision();
  std::vector<Index> drawn(Index count);
  std::vector<at::Tensor> plain(const std::vector<Index>& cells, const RowBatch& rows, Index most);
  void compare(const std::vector<Index>& cells, const RowBatch& rows, const std::vector<at::Tensor>& again,
               const std::string& way);
  std::string where_not_finite();
  void record();
  Cells finish();

  Runner& runner_;
  const Sweep& sweep_;
  const TokenCodec* codec_;
  SessionOptions options_;
  std::filesystem::path journal_;
  Index budget_;
  std::optional<SweepPlan> plan_;
  ForwardPath path_;
  std::vector<HookId> observed_;
  std::optional<SweepValues> values_;
  bool packed_ = false;  // that is how the values were computed
};

}  // namespace diopter::engine
