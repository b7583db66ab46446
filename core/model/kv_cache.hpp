// Keys and values of earlier positions.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include <diopter/model_info.hpp>

namespace diopter::model {

struct KeysValues {
  at::Tensor k, v;  // [batch, pos, kv_head, d_head]
};

// All layers hold the same positions, 0 .. length() - 1, between forwards; rows of unequal length hold their own
// numbers of them. Place i of a row is its position i. Not shared between threads.
class KvCache {
 public:
  // Empty; `capacity` positions can be appended without copying those before (more can be appended, with a copy).
  KvCache(const ModelInfo& info, Index batch, Index capacity, const at::TensorOptions& options);
  // Over keys and values of another run, [layer]; of one row (batch 1) they serve a batch of any size. They are not
  // changed.
  explicit KvCache(std::vector<KeysValues> layers);
  KvCache(KvCache&&) = default;  // no copies: two would write the same room
  KvCache& operator=(KvCache&&) = default;

  Index length() const noexcept { return length_; }  // of the longest row
  Index batch() const;
  KeysValues layer(Index layer) const;  // the length() positions present
  // Puts new keys and values [batch, pos, kv_head, d_head] after the present ones; returns all of them. Rows of unequal
  // length take one position at a time, each at its own end; what stands beyond a row's end is finite and to be hidden
  // by the mask.
  KeysValues append(Index layer, const at::Tensor& k, const at::Tensor& v);
  void advance(Index positions);  // once all layers have appended them
  void truncate(Index length);

  // Only for caches with room of their own:
  // [row] Row r holds ends[r] of the length() positions; what a padded prompt left beyond is written over.
  void set_ends(const std::vector<Index>& ends);
  // [row] of unequal length; empty: all rows end at length().
  const std::vector<Index>& ends() const noexcept { return ends_; }
  // A copy of these rows (of equal length), in this order, each as often as it is named, with room for `capacity`.
  KvCache rows(const std::vector<Index>& which, Index capacity) const;
  // The last row takes the place of this one, and there is one row less.
  void drop_row(Index row);

 private:
  std::vector<KeysValues> layers_;  // of `length_` positions or more (room)
  Index length_ = 0;
  std::vector<Index> ends_;
  at::Tensor each_row_, at_ends_;  // int64 [row]: where unequal rows are written
  bool writable_ = false;          // the room may be written
};

}  // namespace diopter::model
