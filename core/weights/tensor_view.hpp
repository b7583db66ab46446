// A stored tensor as it lies in its file: no copy, no conversion.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weights/dtype.hpp"

namespace diopter::weights {

// `bytes` is little-endian and begins with the first element. Without strides it is row-major and has exactly
// product(shape) * element_size(dtype) bytes; with them it ends with the last element that they reach, and elements may
// overlap or leave gaps (a transposed or expanded tensor of a torch checkpoint). It may start at any address (old files
// are not aligned). It is valid while `owner` lives.
struct TensorView {
  Dtype dtype = Dtype::F32;
  std::vector<std::int64_t> shape;
  std::string_view bytes;
  std::shared_ptr<const void> owner;
  std::vector<std::int64_t> strides = {};  // in elements, 0 or more, one per size; empty: row-major
  bool mapped = false;                     // bytes of a base::MappedFile
};

std::string shape_text(const std::vector<std::int64_t>& shape);  // "[768, 2304]"

}  // namespace diopter::weights
