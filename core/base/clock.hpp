// Times in the store: integer microseconds since 1970-01-01T00:00:00Z.
#pragma once

#include <cstdint>
#include <string>

namespace diopter::base {

std::int64_t now_us();
std::string iso8601(std::int64_t us);  // 2026-11-22T14:02:00.123456Z
std::string local_short(std::int64_t us,
                        std::int64_t now);  // "today 14:02", "yesterday 09:10", "Friday 18:00", "2026-03-01 10:00"

}  // namespace diopter::base
