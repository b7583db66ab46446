// Element types of stored tensors, under the names safetensors gives them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace diopter::weights {

enum class Dtype { Bool, U8, I8, F8E5M2, F8E4M3, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64 };

std::size_t element_size(Dtype dtype) noexcept;     // bytes
std::string_view dtype_name(Dtype dtype) noexcept;  // "F32"
std::optional<Dtype> dtype_from_name(std::string_view name) noexcept;
const std::vector<std::string>& dtype_names();  // every name dtype_from_name knows

}  // namespace diopter::weights
