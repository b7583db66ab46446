// Smallest and largest finite value of a payload, and how many are not finite: lists and colour scales need no read.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace diopter::exec {

struct TensorStats {
  std::optional<double> vmin, vmax;
  std::int64_t nonfinite = 0;
};

// Bytes per element of f64 f32 f16 bf16 i64 i32 i16 i8 u8 bool; 0 for another word.
std::size_t dtype_bytes(std::string_view dtype);
TensorStats tensor_stats(std::string_view dtype, std::string_view bytes);  // row-major or any order, little-endian

}  // namespace diopter::exec
