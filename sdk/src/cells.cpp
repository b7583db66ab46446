#include <ATen/ATen.h>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

namespace diopter {
inline namespace abi1 {
namespace {

std::size_t checked(const CellsData& data, Index m) {
  const auto count = static_cast<Index>(data.metric_names.size());
  if (m < 0 || m >= count) {
    throw Error("metric " + std::to_string(m) + " was asked for, but " + std::to_string(count) + " were measured");
  }
  return static_cast<std::size_t>(m);
}

Tensor at_or_undefined(const std::vector<Tensor>& tensors, std::size_t m) {
  return m < tensors.size() ? tensors[m] : Tensor();
}

}  // namespace

Tensor Cells::values(Index m) const { return data_->values.at(checked(*data_, m)); }
Tensor Cells::base(Index m) const { return at_or_undefined(data_->base, checked(*data_, m)); }
Tensor Cells::donor(Index m) const { return at_or_undefined(data_->donor, checked(*data_, m)); }
Tensor Cells::normalised(Index m) const { return at_or_undefined(data_->normalised, checked(*data_, m)); }

Labels Cells::labels(Index m) const {
  return {.prompts = data_->rows, .metric = data_->metric_names[checked(*data_, m)], .axes = data_->axes};
}

const Counts& Cells::counts() const { return data_->counts; }

}  // namespace abi1
}  // namespace diopter
