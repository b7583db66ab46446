// The values of one run of a batch that cells take instead of computing them.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <span>
#include <vector>

#include "engine/source_runs.hpp"
#include "model/transformer.hpp"

namespace diopter::engine {

class KeptRun {
 public:
  // Every layer from `first` on: resid_pre, q, k, v as attention reads them, mlp_out of a parallel block; the stream
  // after the last block.
  static std::vector<HookId> points(const HookTable& hooks, const ModelInfo& info, Index first);

  KeptRun() = default;
  // `values`: at least those points, whole.
  KeptRun(const HookValues& values, const model::Transformer& model, Index first);

  // One position's part of a whole value of the forward, [batch, pos, ...].
  static const void* position(const at::Tensor& value, Index row, Index pos);
  const void* row(Point point, Index layer, Index row, Index pos) const { return position(at(point, layer), row, pos); }
  const at::Tensor& at(Point point, Index layer) const {
    return layers_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(point)];
  }
  // The stream that enters a layer; of n_layers: the one after the last block.
  const void* stream(Index layer, Index row, Index pos) const;
  // As attention reads them: after norms and rotation, float [head, d_head].
  const float* q(Index layer, Index row, Index pos) const { return placed(0, layer, row, pos); }
  const float* k(Index layer, Index row, Index pos) const { return placed(1, layer, row, pos); }
  const float* v(Index layer, Index row, Index pos) const { return placed(2, layer, row, pos); }

 private:
  const float* placed(std::size_t which, Index layer, Index row, Index pos) const {
    return static_cast<const float*>(position(placed_[static_cast<std::size_t>(layer)][which], row, pos));
  }

  std::vector<std::array<at::Tensor, static_cast<std::size_t>(Point::Count)>> layers_;  // model-level points at 0
  std::vector<std::array<at::Tensor, 3>> placed_;
};

}  // namespace diopter::engine
