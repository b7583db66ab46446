// "2d", "2026-11-20", "2026-11-20T14:00": points in time as people type them.
#pragma once

#include <cstdint>
#include <string>

namespace diopter::cli {

// A duration (s m h d w) means that long before `now_us`; a date without Z is local time. UserError(Usage) otherwise.
std::int64_t parse_time(const std::string& text, std::int64_t now_us);
// "30s", "5m": microseconds.
std::int64_t parse_duration(const std::string& text);

}  // namespace diopter::cli
