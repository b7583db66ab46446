#include "model/kv_cache.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "base/error.hpp"

namespace diopter::model {
namespace {

constexpr int kBatch = 0, kPos = 1;  // [batch, pos, kv_head, d_head]

at::Tensor joined(const at::Tensor& earlier, const at::Tensor& added) {
  std::vector<Index> shape = added.sizes().vec();
  shape[kPos] = earlier.size(kPos);
  return at::cat({earlier.expand(shape), added}, kPos);
}

}  // namespace

KvCache::KvCache(const ModelInfo& info, Index batch, Index capacity, const at::TensorOptions& options)
    : writable_(true) {
  for (Index l = 0; l < info.n_layers; ++l) {
    // Zeros: a hidden place is multiplied by 0, which only a finite number survives.
    layers_.push_back({at::zeros({batch, capacity, info.n_kv_heads, info.d_head}, options),
                       at::zeros({batch, capacity, info.n_kv_heads, info.d_head}, options)});
  }
}

KvCache::KvCache(std::vector<KeysValues> layers) : layers_(std::move(layers)) {
  DIOPTER_CHECK(!layers_.empty(), "a cache over other keys and values needs at least one layer");
  length_ = layers_.front().k.size(kPos);
}

Index KvCache::batch() const { return layers_.front().k.size(kBatch); }

KeysValues KvCache::layer(Index layer) const {
  const KeysValues& all = layers_.at(static_cast<std::size_t>(layer));
  return {all.k.narrow(kPos, 0, length_), all.v.narrow(kPos, 0, length_)};
}

KeysValues KvCache::append(Index layer, const at::Tensor& k, const at::Tensor& v) {
  KeysValues& all = layers_.at(static_cast<std::size_t>(layer));
  const Index added = k.size(kPos);
  if (!ends_.empty()) {
    DIOPTER_CHECK(added == 1 && length_ < all.k.size(kPos), "rows of unequal length take one position, where is room");
    all.k.index_put_({each_row_, at_ends_}, k.select(kPos, 0));
    all.v.index_put_({each_row_, at_ends_}, v.select(kPos, 0));
    return {all.k.narrow(kPos, 0, length_ + 1), all.v.narrow(kPos, 0, length_ + 1)};
  }
  const bool in_graph = c10::GradMode::is_enabled() && (k.requires_grad() || v.requires_grad());
  if (writable_ && !in_graph && length_ + added <= all.k.size(kPos)) {
    all.k.narrow(kPos, length_, added).copy_(k);
    all.v.narrow(kPos, length_, added).copy_(v);
  } else {
    const KeysValues present = this->layer(layer);
    all = {joined(present.k, k), joined(present.v, v)};
  }
  return {all.k.narrow(kPos, 0, length_ + added), all.v.narrow(kPos, 0, length_ + added)};
}

void KvCache::advance(Index positions) {
  length_ += positions;
  if (ends_.empty()) return;
  for (Index& end : ends_) end += positions;
  at_ends_ = at_ends_ + positions;
}

void KvCache::truncate(Index length) {
  DIOPTER_CHECK(length >= 0 && length <= length_ && ends_.empty(), "a cache can only be truncated to a length it has");
  length_ = length;
}

void KvCache::set_ends(const std::vector<Index>& ends) {
  DIOPTER_CHECK(writable_ && static_cast<Index>(ends.size()) == batch(), "a cache with room has one end per row");
  const auto [least, most] = std::minmax_element(ends.begin(), ends.end());
  DIOPTER_CHECK(*least >= 0 && *most <= length_, "a row cannot end behind what the cache holds");
  length_ = *most;
  ends_ = *least == *most ? std::vector<Index>{} : ends;
  const at::TensorOptions like = layers_.front().k.options().dtype(at::kLong);
  each_row_ = at::arange(batch(), like);
  at_ends_ = at::tensor(at::ArrayRef<Index>(ends), at::kLong).to(like.device());
}

KvCache KvCache::rows(const std::vector<Index>& which, Index capacity) const {
  DIOPTER_CHECK(!which.empty() && capacity >= length_ && ends_.empty(), "copied rows need room for what they hold");
  const at::Tensor index = at::tensor(at::ArrayRef<Index>(which), at::kLong).to(layers_.front().k.device());
  std::vector<KeysValues> copies;
  for (Index l = 0; l < static_cast<Index>(layers_.size()); ++l) {
    const KeysValues present = layer(l);
    std::vector<Index> shape = present.k.sizes().vec();
    shape[kBatch] = static_cast<Index>(which.size());
    shape[kPos] = capacity;
    KeysValues copy{at::zeros(shape, present.k.options()), at::zeros(shape, present.v.options())};
    copy.k.narrow(kPos, 0, length_).copy_(present.k.index_select(kBatch, index));
    copy.v.narrow(kPos, 0, length_).copy_(present.v.index_select(kBatch, index));
    copies.push_back(std::move(copy));
  }
  KvCache out(std::move(copies));
  out.length_ = length_;
  out.writable_ = true;
  return out;
}

void KvCache::drop_row(Index row) {
  const Index last = batch() - 1;
  DIOPTER_CHECK(writable_ && row >= 0 && row <= last && last > 0, "only one of several rows can be dropped");
  for (KeysValues& all : layers_) {
    for (at::Tensor* part : {&all.k, &all.v}) {
      if (row != last) part->select(kBatch, row).copy_(part->select(kBatch, last));
      *part = part->narrow(kBatch, 0, last);
    }
  }
  if (ends_.empty()) return;
  std::vector<Index> ends = ends_;
  ends[static_cast<std::size_t>(row)] = ends.back();
  ends.pop_back();
  set_ends(ends);
}

}  // namespace diopter::model
