// The schema (schema.sql, embedded at build time) and the versions this program knows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace diopter::store {

inline constexpr std::int64_t kApplicationId = 0x44494F50;  // "DIOP"
inline constexpr std::int64_t kSchemaVersion = 1;
inline constexpr std::string_view kViewsVersion = "diopter.views/1";

std::string_view schema_sql();  // the file as it is
std::string creation_sql();     // what runs inside the one creating transaction: without the leading page_size pragma
std::string page_size_pragma();

}  // namespace diopter::store
