// A fake analysis whose every number can be foretold from its run id, written through the real recorder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/exec/kill_ledger.hpp"
#include "store/plan_file.hpp"

namespace diopter::testing {

inline constexpr const char* kMetricsOfAStep[] = {"a", "b", "c"};
inline constexpr std::size_t kSmallBytes = 100, kLargeBytes = 70'000;

double value_of(const std::string& run, const std::string& metric, std::int64_t step);
std::string bytes_of(const std::string& run, std::int64_t step, std::size_t size);

// Runs one after the other until it is killed, has enough, or, for some seeds, closes its writer and leaves.
void analyse(Ledger& ledger, const std::filesystem::path& batch, const store::Plan& plan, std::uint64_t seed);

}  // namespace diopter::testing
