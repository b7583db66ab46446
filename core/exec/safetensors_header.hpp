// The head of a safetensors file that holds one tensor: what stands before its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace diopter::exec {

// 8 bytes of length (little-endian), then JSON padded with spaces so that the payload starts at a multiple of 8.
std::string safetensors_header(std::string_view name, std::string_view dtype, const std::vector<std::int64_t>& shape,
                               std::size_t nbytes);

}  // namespace diopter::exec
