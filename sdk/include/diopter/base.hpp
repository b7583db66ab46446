// What every SDK header uses. Nothing here includes fmt, JSON or more of LibTorch than the Tensor handle.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string_view>

#define DIOPTER_API __attribute__((visibility("default")))

namespace diopter {
inline namespace abi1 {

using Index = std::int64_t;
using Text = std::string_view;
using Tensor = at::Tensor;
using Path = std::filesystem::path;

inline constexpr Index kUnset = std::numeric_limits<Index>::min();         // no index
inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();  // no number

DIOPTER_API const char* version() noexcept;  // of the SDK that is loaded, "0.1.0"

}  // namespace abi1
}  // namespace diopter
