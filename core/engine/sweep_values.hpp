// What a sweep has found so far.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include <diopter/sweep.hpp>

#include "engine/row_batch.hpp"

namespace diopter::engine {

struct SweepValues {
  std::vector<at::Tensor> cells;        // [metric]: double [cell, prompt]; NaN where a prompt has no such position
  std::vector<at::Tensor> base, donor;  // [metric]: double [prompt]; donor undefined without a run of its own
  double largest_logit = 0;             // |logit| at what is read: the scale of rounding errors
  Counts counts;
  std::vector<Index> found;         // cells with a number: what verification draws from
  Index unchanged = 0, broken = 0;  // computed cells: no bit altered; a number that is not finite
  Index first_broken = kUnset;      // which cell

  SweepValues(std::size_t metrics, Index cell_count, Index prompts);

  // The metrics of one batch's base run, and of its donor's (may be empty), at its prompts.
  void put_references(const RowBatch& batch, const std::vector<at::Tensor>& base, const std::vector<at::Tensor>& donor);
};

}  // namespace diopter::engine
