// The part of a hook point's value that a Where names, in one batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include <diopter/hook_name.hpp>
#include <diopter/positions.hpp>

#include "engine/row_positions.hpp"

namespace diopter::engine {

// What a selection is resolved against.
struct Place {
  const RowBatch& batch;
  const ModelInfo& info;
  const HookTable& hooks;
  const TokenCodec* codec;
  at::Device device;
};

// Selected dimensions stay, with one entry per selected index in the order written; unselected ones have all entries.
class Selection {
 public:
  // Error when the point has no dimension for a selection, or an index is out of range.
  Selection(const Where& where, HookId point, const Place& place);

  // bool, broadcastable to the value: what is selected, padding never.
  const at::Tensor& mask() const noexcept { return mask_; }
  bool everything() const noexcept { return everything_; }  // the mask is true everywhere
  // Rows of which nothing is selected.
  std::vector<Index> rows_without() const;
  const RowPositions& positions() const noexcept { return positions_; }  // on scores and patterns: destinations
  const std::optional<RowPositions>& sources() const noexcept { return sources_; }

  // [batch, n selected...]: sizes of the selected part.
  const std::vector<Index>& sizes() const noexcept { return sizes_; }
  // The selected part of a whole value; NaN where a row has no such position.
  at::Tensor narrow(const at::Tensor& value) const;
  // The reverse: each dimension of `part` has its selected size or 1 -> broadcastable to the whole value. What is not
  // selected holds anything.
  at::Tensor spread(const at::Tensor& part) const;

 private:
  struct Walk {  // a selected dimension with per-row positions
    Index dim;
    const RowPositions* positions;
  };
  struct Pick {  // a selected dimension with the same indices in every row
    Index dim;
    at::Tensor indices;  // int64 [n]
  };
  void pick(const std::vector<Index>& indices, Text what, Index dim, Index size, const Place& place);
  std::vector<Walk> walks() const;
  at::Tensor along(Index dim, at::Tensor batch_by_pos) const;  // [batch, pos] -> [batch, 1.., pos, 1..]

  Index pos_dim_, src_dim_ = -1, rank_;
  bool pos_selected_, src_selected_ = false, everything_ = false;
  Index queries_, keys_;  // places of the dimensions pos or dest, and src
  at::Tensor real_;       // bool [batch, pos]
  RowPositions positions_;
  std::optional<RowPositions> sources_;
  std::vector<Pick> picks_;
  std::vector<Index> whole_, sizes_;
  at::Tensor mask_;
};

}  // namespace diopter::engine
