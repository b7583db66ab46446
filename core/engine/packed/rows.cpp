#include "engine/packed/rows.hpp"

#include <ATen/ATen.h>

namespace diopter::engine {

at::Tensor gathered(const std::vector<const void*>& from, at::IntArrayRef inner, const at::TensorOptions& options) {
  std::vector<Index> shape{static_cast<Index>(from.size())};
  shape.insert(shape.end(), inner.begin(), inner.end());
  at::Tensor out = at::empty(shape, options);
  const auto bytes = static_cast<std::size_t>(out.itemsize() * c10::multiply_integers(inner));
  auto* to = static_cast<char*>(out.mutable_data_ptr());
  for (const void* row : from) {
    std::memcpy(to, row, bytes);
    to += bytes;
  }
  return out;
}

void append(Rows& rows, const Rows& more) {
  rows.at.insert(rows.at.end(), more.at.begin(), more.at.end());
  rows.value = rows.value.defined() ? at::cat({rows.value, more.value}) : more.value;
}

}  // namespace diopter::engine
