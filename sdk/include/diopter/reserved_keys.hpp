// Keys of [[run]] that belong to the host, in every kind. One constant: the SDK's table rows refuse a parameter with
// such a name at compile time, the manifest reader takes its known keys from here.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace diopter {
inline namespace abi1 {

inline constexpr std::array<std::string_view, 14> kReservedRunKeys = {"id",    "kind",    "name",    "tags",  "note",
                                                                      "model", "prompts", "seed",    "needs", "match",
                                                                      "axis",  "exclude", "include", "edit"};

// Keys that a METRIC_LIST parameter brings to its run.
inline constexpr std::array<std::string_view, 3> kMetricRunKeys = {"at", "normalise", "min_gap"};

constexpr bool is_reserved_run_key(std::string_view name) {
  return std::find(kReservedRunKeys.begin(), kReservedRunKeys.end(), name) != kReservedRunKeys.end();
}
constexpr bool is_metric_run_key(std::string_view name) {
  return std::find(kMetricRunKeys.begin(), kMetricRunKeys.end(), name) != kMetricRunKeys.end();
}

}  // namespace abi1
}  // namespace diopter
