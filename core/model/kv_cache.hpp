// Keys and values of earlier positions.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include <diopter/model_info.hpp>

namespace diopter::model {

struct KeysValues {
  at::Tensor k, v;  // [batch, pos, kv_head, d_head]
};

// All layers hold the same positions, 0 .. length() - 1, between forwards. Not shared between threads.
class KvCache {
 public:
  // Empty; `capacity` positions can be appended without copying those before (more can be appended, with a copy).
  KvCache(const ModelInfo& info, Index batch, Index capacity, const at::TensorOptions& options);
  // Over keys and values of another run, [layer]; of one row (batch 1) they serve a batch of any size. They are not
  // changed.
  explicit KvCache(std::vector<KeysValues> layers);
  KvCache(KvCache&&) = default;  // no copies: two would write the same room
  KvCache& operator=(KvCache&&) = default;

  Index length() const noexcept { return length_; }
  KeysValues layer(Index layer) const;  // the length() positions present
  // Puts new keys and values [batch, pos, kv_head, d_head] after the present ones; returns all of them.
  KeysValues append(Index layer, const at::Tensor& k, const at::Tensor& v);
  void advance(Index positions) { length_ += positions; }  // once all layers have appended them
  void truncate(Index length);

 private:
  std::vector<KeysValues> layers_;  // of `length_` positions or more (room)
  Index length_ = 0;
  bool writable_ = false;  // the room may be written
};

}  // namespace diopter::model
