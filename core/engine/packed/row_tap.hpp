// Edits on packed rows: those of every run of the sweep, and each lane's own.
#pragma once

#include <span>
#include <vector>

#include "engine/packed/lane.hpp"
#include "engine/packed/observed_rows.hpp"
#include "engine/packed/rows.hpp"
#include "model/tap.hpp"

namespace diopter::engine {

class RowTap final : public model::Tap {
 public:
  // `everywhere`: edits of all lanes, in the order in which they act at one point. `observed` may be null. All must
  // outlive the tap.
  RowTap(const HookTable& hooks, std::span<const PackedEdit> everywhere, std::vector<Lane>& lanes,
         ObservedRows* observed = nullptr);

  // The rows of the values that at() gets next.
  void rows_are(const std::vector<RowAt>& rows) { rows_ = &rows; }
  // value [1, n, ...] of the rows.
  at::Tensor at(HookId id, at::Tensor value) override;

  // By runs of all lanes, or by who observes: not only by edits of single lanes.
  bool wants_of_all(HookId id) const;
  // From here on at() is not asked about this point: the walk applies its lanes' edits by itself.
  void leave(HookId id) { wanted_[static_cast<std::size_t>(id)] = 0; }

  bool observes(HookId id) const { return observed_ != nullptr && observed_->has(id); }

  // In place. Edits of all lanes act on what a lane computed; what comes from the base run has them already.
  void apply_everywhere(HookId id, Rows& rows) const;
  void apply_own(HookId id, Rows& rows);  // each lane's, after those; then the rows are what is observed
  // Scores or pattern of one row and head, float [keys].
  void apply_pairs(HookId id, Index lane, Index dest, Index head, float* keys, Index count, bool fresh);

 private:
  std::span<const PackedEdit> everywhere_;
  std::vector<Lane>& lanes_;
  ObservedRows* observed_;
  const std::vector<RowAt>* rows_ = nullptr;
};

}  // namespace diopter::engine
