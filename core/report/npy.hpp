// numpy's .npy format, version 1.0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace diopter::report {

// `bytes`: row-major, little-endian values of the store's `dtype`. numpy has no bfloat16: such values become float32.
std::string npy_bytes(std::string_view dtype, const std::vector<std::int64_t>& shape, std::string_view bytes);

}  // namespace diopter::report
