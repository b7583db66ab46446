#include "engine/value_layout.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <diopter/error.hpp>

namespace diopter::engine {
namespace {

at::Tensor of_layer(const at::Tensor& value, const LayerRank& layer, const HookPoint& point) {
  if (layer.layer < 0)
    throw Error(fmt::format("a tensor per layer was given for '{}', which belongs to no layer", point.name));
  if (value.size(0) == layer.model) return value.select(0, layer.layer);
  if (value.size(0) == layer.count) return value.select(0, layer.rank);
  throw Error(fmt::format("a tensor per layer has {} layers, but the model has {} and the edit touches {}",
                          value.size(0), layer.model, layer.count));
}

at::Tensor of_rows(const at::Tensor& value, const RowBatch& batch) {
  if (value.size(0) != batch.call_rows) {
    throw Error(fmt::format("a tensor per row has {} rows, but there are {} prompts", value.size(0), batch.call_rows));
  }
  return batch.of_call(value);
}

}  // namespace

at::Tensor laid_out(const at::Tensor& value, Per per, const LayerRank& layer, const HookPoint& point,
                    const Selection& selection, const RowBatch& batch, const at::TensorOptions& options) {
  at::Tensor part = value;
  Index batch_size = 1;
  if (per == Per::Layer) part = of_layer(part, layer, point);
  if (per == Per::Row) {
    part = of_rows(part, batch);
    batch_size = part.size(0);
  }
  if (per == Per::Vector) throw Error("a list of vectors makes an axis; take one of Edits::cells() or sweep it");

  const std::vector<Index>& whole = selection.sizes();
  const auto rank = static_cast<Index>(whole.size());
  std::vector<Index> rest = part.sizes().vec();
  if (per == Per::Row) rest.erase(rest.begin());
  const bool has_batch = per != Per::Row && static_cast<Index>(rest.size()) == rank;
  std::vector<Index> shape(static_cast<std::size_t>(rank), 1);
  bool fits = static_cast<Index>(rest.size()) < rank || has_batch;
  if (fits) {
    std::copy(rest.rbegin(), rest.rend(), shape.rbegin());
    if (!has_batch) shape[0] = batch_size;
    for (std::size_t dim = 0; dim < shape.size(); ++dim) fits = fits && (shape[dim] == 1 || shape[dim] == whole[dim]);
  }
  if (!fits) {
    throw Error(
        fmt::format("a tensor [{}] was given for '{}', whose selected part is [{}]; each dimension must be equal or 1, "
                    "missing ones stand left",
                    fmt::join(value.sizes(), ", "), point.name, fmt::join(whole, ", ")));
  }
  return part.to(options).reshape(shape);
}

}  // namespace diopter::engine
