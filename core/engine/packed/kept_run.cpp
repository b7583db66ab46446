#include "engine/packed/kept_run.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace diopter::engine {

std::vector<HookId> KeptRun::points(const HookTable& hooks, const ModelInfo& info, Index first) {
  const bool rotary = info.positions == PositionKind::Rotary;
  std::vector<HookId> ids;
  for (Index layer = first; layer < info.n_layers; ++layer) {
    for (const Point point :
         {Point::ResidPre, rotary ? Point::RotQ : Point::Q, rotary ? Point::RotK : Point::K, Point::V})
      ids.push_back(hooks.id(point, layer));
    if (info.parallel_block) ids.push_back(hooks.id(Point::MlpOut, layer));  // beside attention that changed
  }
  ids.push_back(hooks.id(Point::ResidPost, info.n_layers - 1));
  return ids;
}

KeptRun::KeptRun(const HookValues& values, const model::Transformer& model, Index first) {
  const ModelInfo& info = model.info();
  layers_.resize(static_cast<std::size_t>(info.n_layers));
  placed_.resize(layers_.size());
  for (const auto& [id, value] : values) {
    const Index layer = std::max<Index>(0, model.hooks()[id].layer);
    layers_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(model.hooks().point(id))] = value.contiguous();
  }
  for (Index layer = first; layer < info.n_layers; ++layer) {
    model::Qkv qkv{.q = at(Point::RotQ, layer), .k = at(Point::RotK, layer), .v = at(Point::V, layer)};
    if (info.positions != PositionKind::Rotary)
      qkv = model.place(layer, {at(Point::Q, layer), at(Point::K, layer), qkv.v}, {});
    placed_[static_cast<std::size_t>(layer)] = {qkv.q.to(at::kFloat).contiguous(), qkv.k.to(at::kFloat).contiguous(),
                                                qkv.v.to(at::kFloat).contiguous()};
  }
}

const void* KeptRun::position(const at::Tensor& value, Index row, Index pos) {
  const Index offset = row * value.stride(0) + pos * value.stride(1);
  return static_cast<const char*>(value.const_data_ptr()) + offset * static_cast<Index>(value.itemsize());
}

const void* KeptRun::stream(Index layer, Index row, Index pos) const {
  const auto layers = static_cast<Index>(layers_.size());
  return layer < layers ? this->row(Point::ResidPre, layer, row, pos)
                        : this->row(Point::ResidPost, layers - 1, row, pos);
}

}  // namespace diopter::engine
