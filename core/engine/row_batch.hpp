// Prompts as the right-padded batch that one forward takes.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include <diopter/model_info.hpp>
#include <diopter/prompts.hpp>

namespace diopter::engine {

struct RowBatch {
  Prompts rows;
  Index first = 0;             // of these rows among the rows of the call: where per-row tensors start
  Index call_rows = 0;         // rows of the call
  at::Tensor ids;              // int64 [batch, pos], -1 pads on the right
  std::vector<Index> lengths;  // [batch], at least 1
  at::Tensor real;             // bool [batch, pos]: not padding

  Index size() const { return static_cast<Index>(lengths.size()); }
  Index longest() const { return ids.size(1); }
  bool padded() const;
};

// Consecutive rows, at most `max_rows` a batch (0: all in one). Error for no rows, an empty row, one longer than the
// model's context, a token outside the vocabulary, continuous inputs.
std::vector<RowBatch> row_batches(const Prompts& rows, const ModelInfo& info, Index max_rows = 0);

// The same slice of rows that belong one to one to those of `batch`'s call (a donor's).
RowBatch beside(const RowBatch& batch, const Prompts& rows, const ModelInfo& info);

// How many tokens from the left the rows have in common, per row: they are equal at every position below.
std::vector<Index> equal_prefix(const RowBatch& a, const RowBatch& b);

}  // namespace diopter::engine
