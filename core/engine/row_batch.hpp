// Prompts as the right-padded batch that one forward takes.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include <diopter/model_info.hpp>
#include <diopter/prompts.hpp>

namespace diopter::engine {

struct RowBatch;

// A step of a generation: one new token a row. What is said about positions is about those of the whole text, prompt
// first.
struct StepRows {
  const RowBatch* prompts = nullptr;  // the batch whose prompts go on; outlives the step
  std::vector<Index> prompt;          // [row] which of its rows this one continues
  std::vector<Index> position;        // [row] absolute, of the new token
};

// Either whole prompts, or one step after them (`step`): then ids [batch, 1] are the new tokens.
struct RowBatch {
  Prompts rows;
  Index first = 0;             // of consecutive rows: which row of the call the first is; else kUnset
  Index call_rows = 0;         // rows of the call
  at::Tensor ids;              // int64 [batch, pos], -1 pads on the right
  std::vector<Index> lengths;  // [batch], at least 1
  at::Tensor real;             // bool [batch, pos]: not padding
  std::optional<StepRows> step = {};
  std::vector<Index> scattered = {};  // [batch] rows of the call, ascending; empty: consecutive, from `first`

  Index size() const { return static_cast<Index>(lengths.size()); }
  Index longest() const { return ids.size(1); }
  Index keys() const;               // positions that attention may see in this forward, of the longest row
  Index call_row(Index row) const;  // which row of the call this one is or continues
  // Of a tensor [row of the call, ...]: [batch, ...], the rows that these are or continue; a view where it can be one.
  at::Tensor of_call(const at::Tensor& per_row) const;
  // The reverse: `values` [batch, ...] into their places of [row of the call, ...]. Whole prompts only.
  void put(at::Tensor& per_row, const at::Tensor& values) const;
  Index prompt_length(Index row) const;
  bool padded() const;
};

// Consecutive rows, at most `max_rows` a batch (0: all in one). Error for no rows, an empty row, one longer than the
// model's context, a token outside the vocabulary, continuous inputs.
std::vector<RowBatch> row_batches(const Prompts& rows, const ModelInfo& info, Index max_rows = 0);

// The given rows of the call `rows`, ascending, as one batch. Errors as above.
RowBatch batch_of_rows(const Prompts& rows, std::vector<Index> which, const ModelInfo& info);

// The next step of rows of `prompts`: `tokens` int64 [row] at the positions `step` names.
RowBatch step_batch(const RowBatch& prompts, const at::Tensor& tokens, StepRows step);

// The same rows of a set that belongs one to one to the rows of `batch`'s call (a donor's).
RowBatch beside(const RowBatch& batch, const Prompts& rows, const ModelInfo& info);

// How many tokens from the left the rows have in common, per row: they are equal at every position below.
std::vector<Index> equal_prefix(const RowBatch& a, const RowBatch& b);

}  // namespace diopter::engine
