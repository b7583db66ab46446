#include "model/kv_cache.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/error.hpp"

namespace diopter::model {
namespace {

constexpr int kPos = 1;  // [batch, pos, kv_head, d_head]

at::Tensor joined(const at::Tensor& earlier, const at::Tensor& added) {
  std::vector<Index> shape = added.sizes().vec();
  shape[kPos] = earlier.size(kPos);
  return at::cat({earlier.expand(shape), added}, kPos);
}

}  // namespace

KvCache::KvCache(const ModelInfo& info, Index batch, Index capacity, const at::TensorOptions& options)
    : writable_(true) {
  for (Index l = 0; l < info.n_layers; ++l) {
    layers_.push_back({at::empty({batch, capacity, info.n_kv_heads, info.d_head}, options),
                       at::empty({batch, capacity, info.n_kv_heads, info.d_head}, options)});
  }
}

KvCache::KvCache(std::vector<KeysValues> layers) : layers_(std::move(layers)) {
  DIOPTER_CHECK(!layers_.empty(), "a cache over other keys and values needs at least one layer");
  length_ = layers_.front().k.size(kPos);
}

KeysValues KvCache::layer(Index layer) const {
  const KeysValues& all = layers_.at(static_cast<std::size_t>(layer));
  return {all.k.narrow(kPos, 0, length_), all.v.narrow(kPos, 0, length_)};
}

KeysValues KvCache::append(Index layer, const at::Tensor& k, const at::Tensor& v) {
  KeysValues& all = layers_.at(static_cast<std::size_t>(layer));
  const Index added = k.size(kPos);
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

void KvCache::truncate(Index length) {
  DIOPTER_CHECK(length >= 0 && length <= length_, "a cache can only be truncated to a length it has");
  length_ = length;
}

}  // namespace diopter::model
