// The cells of a sweep on one batch of prompts, served from its base run: a chunk of cells at a time, on any thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/packed/lane_walk.hpp"
#include "engine/packed/operands.hpp"
#include "engine/sweep_plan.hpp"

namespace diopter::engine {

// Why a (cell, prompt) has the base run's value without being computed.
enum class Skip : std::uint8_t { None, NotThere, NotRead, SameTokens, Future };

struct ChunkResult {
  std::vector<at::Tensor> values;               // [metric]: double [cell, batch]; NaN where a row has no such position
  std::vector<Skip> skips;                      // [cell * batch + row]
  std::vector<std::uint8_t> unchanged, broken;  // [cell]: no bit altered; a number that is not finite
  std::vector<at::Tensor> observed;             // of the source's observed points: [cell, batch, ...]
  double operations = 0;
};

// What a batch brings; all of it is read only and outlives the cells.
struct PackedSource {
  const model::Transformer& model;
  const Sweep& sweep;
  const SweepPlan& plan;
  const RowBatch& batch;
  const Place& place;
  const EditCompiler& compiler;
  const MetricReader& reader;
  const HookValues& base;              // at PackedCells::points() and the observed ones
  std::vector<PackedEdit> everywhere;  // edits of the base run and of every cell, frozen points
  const HookValues* donor = nullptr;   // at PackedCells::donor_points(), laid out for the base's positions
  std::optional<EqualStreams> equal;   // with `donor`
  std::vector<HookId> observed;        // kept of each cell; then no donor serves
  model::ExecutionPath kernels;
};

class PackedCells {
 public:
  // What the base run keeps for these cells, and a donor's run (nothing where a donor's stream serves no cell).
  static std::vector<HookId> points(const SweepPlan& plan, const model::Transformer& model);
  static std::vector<HookId> donor_points(const Sweep& sweep, const SweepPlan& plan, const model::Transformer& model);
  // One sentence when these cells need a plain forward each; empty when they can be packed.
  static std::string why_plain(const Sweep& sweep, const model::Transformer& model);

  explicit PackedCells(PackedSource source);

  PackedCells(const PackedCells&) = delete;
  PackedCells& operator=(const PackedCells&) = delete;

  struct Chunk {
    std::vector<Index> cells;  // by flat index
    std::deque<PackedEdit> edits;
    std::vector<Lane> lanes;
    std::vector<Skip> skips;  // [cell * batch + row]
    Index rows = 0;           // at most in one layer
  };
  // Cells from `first` on, until they have `rows` packed rows or `cells` are reached; at least one. [any thread]
  Chunk chunk(Index first, Index rows, Index cells) const;
  Chunk chunk(std::vector<Index> cells) const;  // exactly these [any thread]
  ChunkResult run(Chunk chunk) const;           // [any thread]
  // What the time of each cell in [first, end) grows with: its rows times the layers that they pass, and what is
  // unembedded of it. [any thread]
  std::vector<double> weights(Index first, Index end) const;
  const std::vector<at::Tensor>& base() const { return base_by_row_; }  // [metric]: double [batch]
  // The same of a donor's run, unedited, whose stream after the last block is `resid` [batch, pos, d_model], laid out
  // for the base's positions.
  std::vector<at::Tensor> of_donor(const at::Tensor& resid);
  double operations() const noexcept { return operations_; }  // of what was unembedded of base and donor run

 private:
  void add_cell(Chunk& chunk, Index flat) const;
  Skip filter(LaneEdit& edit, Index row, bool alone) const;
  bool can_differ(const PackedEdit& edit, Index row, Index pos, bool alone, Skip& why) const;
  void begin(Lane& lane, bool alone) const;
  void read(Chunk& chunk, Rows rows, RowTap& tap, ChunkResult& out) const;
  void run_lanes(Chunk& chunk, ObservedRows* observed, ChunkResult& out) const;
  Rows with_edits_after(const std::vector<Lane>& lanes, Rows rows) const;
  std::vector<at::Tensor> at_points(const at::Tensor& resid, std::span<const PackedEdit> edits);

  PackedSource source_;
  const ModelInfo& info_;
  Index first_layer_;
  Needs needs_;
  KeptRun base_, donor_;
  mutable Operands operands_;
  std::vector<std::vector<Index>> points_of_row_;  // [row] which of the reader's points
  std::vector<at::Tensor> base_at_, donor_at_;     // [metric]: double [point]
  std::vector<at::Tensor> base_by_row_;
  double operations_ = 0;
};

}  // namespace diopter::engine
