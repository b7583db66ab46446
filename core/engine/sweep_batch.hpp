// One batch of a sweep: its base and donor runs, what cells are served with from them, and the plain forward that each
// cell is by definition.
#pragma once

#include <optional>
#include <vector>

#include "engine/no_op.hpp"
#include "engine/options.hpp"
#include "engine/packed/packed_cells.hpp"
#include "engine/workplace.hpp"

namespace diopter::engine {

enum class Skipping { Allowed, None };
enum class Serving { Packed, Plain };

struct CellResult {
  enum class How { Computed, Skipped, Unavailable };
  How how = How::Computed;
  std::vector<at::Tensor> values;    // [metric]: double [batch]; NaN where a row has no such position
  std::vector<at::Tensor> observed;  // parallel to the observed points, [batch, ...]; NaN at padding
  bool changed = true;               // some bit at the site
  bool finite = true;                // false: a number that was finite in the base run is not here
};

class SweepBatch {
 public:
  // `points`: where its cells will change something; `observed`: kept of each cell. Runs base and donor.
  SweepBatch(Runner& runner, const Sweep& sweep, const RowBatch& batch, std::vector<HookId> points,
             std::vector<HookId> observed, const ForwardPath& path, const TokenCodec* codec, Index max_rows,
             const SessionOptions& options);
  // The same for cells that are served from what the base run (and a donor's) keeps: packed() is there then, unless
  // one of the sweep's edits puts a pattern that looks ahead.
  SweepBatch(Runner& runner, const Sweep& sweep, const SweepPlan& plan, const RowBatch& batch,
             std::vector<HookId> observed, const ForwardPath& path, const TokenCodec* codec, Index max_rows,
             const SessionOptions& options);
  const PackedCells* packed() const noexcept { return packed_ ? &*packed_ : nullptr; }

  // Of what cells hold at the observed points, [cell, batch, ...] each: the same with NaN at padding.
  std::vector<at::Tensor> without_padding(const std::vector<at::Tensor>& observed) const;

  // `layer`: the rank of the cell's layers in a tensor per layer.
  CellResult cell(const CellSite& site, const LayerRank& layer, Skipping skipping);

  // The first hook point inside the blocks at which a plain run of the cell (of the base run without one) holds a
  // number that is not finite; kNoHook: none.
  HookId first_not_finite(const CellSite* site, const LayerRank& layer);

  const std::vector<at::Tensor>& base() const noexcept { return base_; }    // [metric]: double [batch]
  const std::vector<at::Tensor>& donor() const noexcept { return donor_; }  // empty without a donor's own run
  double largest_logit() const noexcept { return largest_logit_; }
  const RowBatch& batch() const noexcept { return batch_; }

 private:
  SweepBatch(Runner& runner, const Sweep& sweep, const RowBatch& batch, std::vector<HookId> observed,
             const ForwardPath& path, const TokenCodec* codec, Index max_rows);
  void want(const std::vector<HookId>& points, const std::vector<HookId>& of_donor);
  bool puts_donor() const;  // only then has it a donor to ask about, below
  const RowBatch& donor_batch();
  const at::Tensor& donor_align();
  const at::Tensor& donor_value(HookId id);
  bool shares_with_donor();
  std::vector<HookId> kept_of_base(const SweepPlan& plan) const;
  ForwardResult run_base_then_donor(std::vector<HookId> kept);
  ForwardResult run_sources_then_base(const std::vector<HookId>& kept, const SessionOptions& options);
  ForwardResult run_base(const std::vector<HookId>& kept);
  at::Tensor clean_of_donor(const at::Tensor& resid);
  void run_donor();
  void pack(const SweepPlan& plan, const std::vector<HookId>& of_donor);
  std::vector<PackedEdit> everywhere();
  bool donor_is_read_alike();
  void read_references(const ForwardResult& base, at::Tensor clean);
  Index number() const { return static_cast<Index>(sweep_.edits.items().size()) + 1; }  // of the change, in messages
  std::vector<BoundEdit> held() const;                                                  // the frozen points
  std::vector<BoundChange> bound(const CellSite& site, const LayerRank& layer);

  Runner& runner_;
  const Sweep& sweep_;
  RowBatch batch_;
  std::vector<HookId> frozen_, observed_ids_;
  Workplace work_;
  std::vector<BoundEdit> edits_;
  MetricReader reader_;
  HookValues frozen_values_, kept_values_, donor_values_;
  std::optional<NoOps> no_ops_;
  std::optional<PackedCells> packed_;
  std::vector<Selection> observed_;
  at::Tensor clean_, unpatched_;  // references of the KL metrics
  std::vector<at::Tensor> base_, donor_;
  double largest_logit_ = 0;
};

}  // namespace diopter::engine
