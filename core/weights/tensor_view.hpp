// A stored tensor as it lies in its file: no copy, no conversion.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weights/dtype.hpp"

namespace diopter::weights {

// `bytes` is row-major and little-endian and has exactly product(shape) * element_size(dtype) bytes. It may start at
// any address (old files are not aligned). It is valid while `owner` lives.
struct TensorView {
  Dtype dtype = Dtype::F32;
  std::vector<std::int64_t> shape;
  std::string_view bytes;
  std::shared_ptr<const void> owner;
  bool mapped = false;  // bytes of a base::MappedFile
};

std::string shape_text(const std::vector<std::int64_t>& shape);  // "[768, 2304]"

}  // namespace diopter::weights
