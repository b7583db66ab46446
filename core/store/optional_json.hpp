// JSON's null is C++'s nullopt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/canonical_json.hpp"

namespace diopter::store {

template <class T>
base::Json or_null(const std::optional<T>& value) {
  return value ? base::Json(*value) : base::Json();
}

// An absent key is as good as null; another type throws Json::exception.
template <class T>
std::optional<T> maybe(const base::Json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end() || at->is_null()) return {};
  return at->get<T>();
}
inline std::optional<std::string> maybe_text(const base::Json& object, const char* key) {
  return maybe<std::string>(object, key);
}
inline std::optional<std::int64_t> maybe_integer(const base::Json& object, const char* key) {
  return maybe<std::int64_t>(object, key);
}
inline std::optional<double> maybe_real(const base::Json& object, const char* key) {
  return maybe<double>(object, key);
}
inline std::optional<bool> maybe_bool(const base::Json& object, const char* key) { return maybe<bool>(object, key); }

}  // namespace diopter::store
