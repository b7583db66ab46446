// Runs the lanes of one chunk through the blocks together: in each layer only rows that can differ from the base run
// and can reach what is read, packed without padding; everything else is the base run's (or the donor's) own value.
// One walk serves every hook point: an edit enters at its stage of the block with the base run's value there.
#pragma once

#include <span>
#include <vector>

#include "engine/operations.hpp"
#include "engine/packed/kept_run.hpp"
#include "engine/packed/row_tap.hpp"
#include "model/transformer.hpp"

namespace diopter::engine {

// What all chunks of a batch share; read by several threads.
struct WalkContext {
  const model::Transformer& model;
  const RowBatch& batch;
  const Needs& needs;
  const KeptRun& base;
  const KeptRun* donor;                    // null: no lane is served by a donor
  std::span<const PackedEdit> everywhere;  // edits of every lane and of the base run
  model::ExecutionPath kernels;
};

// One layer's part of the lanes: which rows are computed, and from what.
struct LayerRows {
  std::vector<RowAt> queries;             // attention is computed; lane by lane
  std::vector<std::size_t> begin;         // [lane + 1] into queries
  std::vector<RowAt> read, read_keys;     // q, k, v (keys: only k, v) come from a stream of the lane
  std::vector<RowAt> raw;                 // q, k, v are the base run's before norm and rotation, but for edited heads
  std::vector<std::vector<Index>> heads;  // [lane] heads whose attention differs; empty: all

  std::span<const RowAt> of_lane(Index lane) const {  // of the queries
    const auto at = static_cast<std::size_t>(lane);
    return std::span(queries).subspan(begin[at], begin[at + 1] - begin[at]);
  }
};

class LaneWalk {
 public:
  // `observed` may be null.
  LaneWalk(const WalkContext& context, std::vector<Lane>& lanes, ObservedRows* observed = nullptr);

  // All blocks. -> the rows of the stream after the last one that are neither the base run's nor the donor's.
  // `own`: streams that are the lanes' own before the first block.
  Rows run(Rows own = {});
  RowTap& tap() noexcept { return tap_; }
  double operations() const noexcept { return operations_; }

 private:
  struct Attended;
  class AttendedLane;
  void enter(Index layer);
  bool edits_stream_before(Index layer) const;
  void put_streams_of_donor(Index layer);
  Rows with_edited_embeddings(Rows rows);
  Rows overlaid(const Rows& rows, const Rows& value) const;
  LayerRows classify(Index layer);
  void classify(Index lane, Index layer, LayerRows& rows);
  Rows attention(Index layer, const LayerRows& rows);  // -> z, changed rows
  Rows after_attention(Index layer, Rows z);           // -> attn_out
  Rows middle(Index layer, Rows attn_out);             // -> resid_mid, of an attention-only block resid_post
  Rows mlp(Index layer, const Rows& middle);           // -> mlp_out
  Rows leave(Index layer, Rows middle, Rows mlp);      // -> resid_post
  void read_edited_inputs(Index layer, const std::vector<RowAt>& rows, model::Qkv& raw);
  void read_edited_input(Index layer, Point branch, const std::vector<RowAt>& rows, at::Tensor& projected);
  Attended projected(Index layer, const LayerRows& rows);
  model::Qkv raw_rows(Index layer, const LayerRows& rows);
  at::Tensor streams(Index layer, const std::vector<RowAt>& rows) const;
  void put_heads_of_base(Index layer, const std::vector<std::uint8_t>& from_base, Rows& z) const;

  const void* stream_of(Index layer, RowAt at) const;  // resid_pre
  Rows with_base(Rows rows, std::span<const Point> points, Point take, Index layer);
  std::vector<RowAt> edited(std::span<const Point> points, Index layer, const RowIndex& without) const;
  void add_from_neurons(Index layer, Rows& mlp_out);
  Rows neurons(const std::vector<RowAt>& rows, Index layer);  // -> mlp.hook_post
  std::vector<Index> few_neurons(const Lane& lane, Index layer) const;
  std::vector<RowAt> take_few(std::vector<RowAt>& rows, Index layer) const;
  Rows by_neurons(const std::vector<RowAt>& rows, Index layer);
  bool tap_wants(std::span<const Point> points, Index layer) const;
  void find_heads_apart();
  // Whether edited inputs of heads are read here head by head, not by Transformer::read.
  bool heads_apart(Index layer) const { return heads_apart_[static_cast<std::size_t>(layer)] != 0; }
  Rows from_base(std::vector<RowAt> rows, Point take, Index layer) const;
  RowIndex index_of(const Rows& rows) const;
  model::Pass pass(const std::vector<RowAt>& rows);
  void count(Index rows, Index in, Index out) { operations_ += product_operations(rows, in, out); }
  Lane& lane(RowAt at) { return lanes_[static_cast<std::size_t>(at.lane)]; }
  const Lane& lane(RowAt at) const { return lanes_[static_cast<std::size_t>(at.lane)]; }

  const WalkContext& context_;
  const model::Transformer& model_;
  const ModelInfo& info_;
  std::vector<Lane>& lanes_;
  RowTap tap_;
  Index positions_;  // of the longest row
  Rows stream_;      // entering the layer at hand
  RowIndex stream_at_;
  std::vector<std::vector<std::uint8_t>> next_;  // [lane][pos] StreamIs after the layer at hand
  std::vector<std::uint8_t> heads_apart_;        // [layer]
  double operations_ = 0;
};

}  // namespace diopter::engine
