// Attention of one lane in one layer: the z of its queries, with its own keys and values where they differ, the base
// run's or the donor's elsewhere.
#pragma once

#include "engine/packed/attended.hpp"
#include "engine/packed/row_kernel.hpp"

namespace diopter::engine {

class LaneWalk::AttendedLane {
 public:
  // All outlive this. What is computed is written into `attended`.
  AttendedLane(LaneWalk& walk, Index layer, Index index, const LayerRows& rows, Attended& attended);
  void run();

 private:
  void find_keys();
  void attend_in_blocks();
  void attend_row(Index pos, bool queried);
  void attend_head(Index pos, Index head, const float* q, float* z);
  void attend_shown_head(Index pos, Index head, const float* q, float* z);
  void take_from_base(Point point, Index pos, Index head);
  void attend_edited_rows();
  const KeptRun& known(Index pos) const;  // the run whose q, k and v a position has that has none of its own
  const float* query(Index pos) const;
  bool is_query(Index pos) const;
  bool differs(Index head) const;
  bool is_edited(Index head) const;
  Index first_seen(Index pos) const { return window_ > 0 ? std::max<Index>(0, pos - window_ + 1) : 0; }
  KeyRows of_head(const std::vector<const float*>& rows, Index head, Index first, Index count) const {
    return {rows.data() + first, head / (info_.n_heads / info_.n_kv_heads) * info_.d_head, count};
  }
  float* z_of(Index z_row) { return a_.z.mutable_data_ptr<float>() + z_row * info_.n_heads * info_.d_head; }
  std::uint8_t& from_base(Index z_row, Index head) {
    return a_.from_base[static_cast<std::size_t>(z_row * info_.n_heads + head)];
  }

  LaneWalk& walk_;
  const WalkContext& context_;
  const ModelInfo& info_;
  Attended& a_;
  Index layer_, index_;
  const Lane& lane_;
  std::span<const RowAt> queries_;
  const std::vector<Index>& heads_;  // that differ; empty: all
  HookId scores_id_, pattern_id_;
  const LaneEdit *scores_edit_, *pattern_edit_;
  bool shown_;  // some scores or pattern are edited or observed
  model::ScoreRule rule_;
  Index window_, length_;            // length_: of the prompt
  std::vector<const float*> k_, v_;  // [pos] rows [kv_head, e]
  std::vector<float> weights_;       // [pos] of the head and query at hand
};

}  // namespace diopter::engine
