// Rows of similar length together, so that little of a batch is padding. For sets of thousands of rows: consecutive
// rows of unequal length (row_batch.hpp) pad each other to the longest.
#pragma once

#include <functional>
#include <vector>

#include <diopter_host/specs.hpp>

#include "engine/row_batch.hpp"

namespace diopter::engine {

struct LengthBounds {
  // Rows of a batch whose longest row has so many tokens, at least 1; empty: no bound.
  std::function<Index(Index longest)> max_rows = {};
  // A batch of n rows and m positions holds at most padding * n * m padded positions, or `free_padding` where that is
  // more: a forward of a few rows costs more than a few padded positions do.
  double padding = 0.1;
  Index free_padding = 64;
};

// Places of `lengths` (each at least 0) in groups: every place once, ascending inside a group; groups in the order of
// their first places. The same for the same arguments.
std::vector<std::vector<Index>> length_groups(const std::vector<Index>& lengths, const LengthBounds& bounds);

// A tensor that may have one entry per position fits rows of one batch only: of the longest of all.
bool laid_along_positions(const ChangeSpec& change);

// The rows of `rows` in such batches; errors as row_batches().
std::vector<RowBatch> length_batches(const Prompts& rows, const ModelInfo& info, const LengthBounds& bounds);

}  // namespace diopter::engine
