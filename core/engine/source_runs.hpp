// Values that edits take from other runs of the same model: a donor's, the unedited run's, means over reference rows.
// First everything is asked for, then each run is made once and gives all that was asked of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <set>
#include <span>

#include <diopter/hook_name.hpp>

#include "engine/row_batch.hpp"

namespace diopter::engine {

using HookValues = std::map<HookId, at::Tensor>;  // whole values; what padding holds is arbitrary but finite

// One unedited forward that keeps the values at `ids`.
using RunOnce = std::function<HookValues(const RowBatch&, std::span<const HookId>)>;

struct AlignedValue {
  at::Tensor value;      // [batch, pos of the edited rows, ...]
  at::Tensor available;  // bool [batch, pos]: positions that have a counterpart; undefined: all real ones
};

struct MeanValue {
  at::Tensor by_position;     // [pos of the longest reference row, ...] (patterns: [head, dest, src])
  at::Tensor over_positions;  // [...]; undefined for scores and patterns
  Index positions = 0;        // that any reference row has
};

// int64 [batch, pos] -> value at those positions along every position dimension of the point ("pos", or "dest" and
// "src").
AlignedValue aligned(const at::Tensor& value, const HookPoint& point, const at::Tensor& align);

// Means over sets of reference rows, by the identity of their data. They depend on no batch: the batches of one call
// may share them.
struct ReferenceMeans {
  struct Set {
    Prompts rows;
    std::set<HookId> wanted;
    std::map<HookId, MeanValue> values;
  };
  std::map<const void*, Set> sets;
};

class SourceRuns {
 public:
  // `edited`: the rows whose forward takes the values. `shared` (may be null) outlives this.
  SourceRuns(const RowBatch& edited, const ModelInfo& info, const HookTable& hooks, RunOnce run, Index max_rows,
             ReferenceMeans* shared = nullptr)
      : edited_(edited),
        info_(info),
        hooks_(hooks),
        run_(std::move(run)),
        max_rows_(max_rows),
        means_(shared != nullptr ? *shared : own_means_) {}
  SourceRuns(const SourceRuns&) = delete;  // one part refers to another
  SourceRuns& operator=(const SourceRuns&) = delete;

  // `align`: int64 [row of the call, pos]; undefined: as the prompts declare it.
  void want_donor(const Prompts& rows, const at::Tensor& align, HookId id);
  void want_unedited(HookId id) { unedited_ids_.insert(id); }
  void want_mean(const Prompts& reference, HookId id);
  // All runs; may be called again after further wants. `donor_run` (may be empty): makes those of donors.
  void make(const RunOnce& donor_run = {});

  const AlignedValue& donor(const Prompts& rows, HookId id) const;
  const RowBatch& donor_batch(const Prompts& rows) const;
  const std::set<HookId>& wanted_of_donor(const Prompts& rows) const;
  const at::Tensor& donor_align(const Prompts& rows) const;
  const at::Tensor& unedited(HookId id) const { return unedited_.at(id); }
  const MeanValue& mean(const Prompts& reference, HookId id) const;

 private:
  struct Donor {
    RowBatch batch;
    at::Tensor align;  // int64 [batch, pos of the edited rows]
    std::set<HookId> wanted;
    std::map<HookId, AlignedValue> values;
  };
  void make_means(ReferenceMeans::Set& reference, const std::vector<HookId>& ids) const;

  const RowBatch& edited_;
  const ModelInfo& info_;
  const HookTable& hooks_;
  RunOnce run_;
  Index max_rows_;
  std::map<const void*, Donor> donors_;  // by the identity of the prompts' data
  ReferenceMeans own_means_;
  ReferenceMeans& means_;
  std::set<HookId> unedited_ids_;
  HookValues unedited_;
};

}  // namespace diopter::engine
