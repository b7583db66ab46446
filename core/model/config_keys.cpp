#include "model/config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "base/utf8.hpp"

namespace diopter::model {

using base::Json;

namespace {

// Only a near name helps here: the list of all harmless keys would not.
std::string nearest_of(const std::string& key, const std::vector<std::string>& known) {
  const std::vector<std::string> near = base::nearest(key, known);
  return near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near.front());
}

}  // namespace

const Json* ConfigKeys::find(const char* key) {
  known_.insert(key);
  const auto found = config_.find(key);
  return found == config_.end() || found->is_null() ? nullptr : &*found;
}

void ConfigKeys::refuse(const char* key, const std::string& expected) const {
  const std::string got = config_.contains(key) ? base::printable(base::plain_json(config_[key])) : "nothing";
  throw base::UserError(base::Exit::Refused, fmt::format("{}: expected {} as '{}', got {}", where_, expected, key, got),
                        "diopter computes only what it can compute exactly; use a model without this setting",
                        "model.config");
}

Index ConfigKeys::size(const char* key) {
  const Json* value = find(key);
  constexpr double kLargest = 1e9;  // far beyond any model; products of two sizes cannot overflow
  if (!value || !value->is_number_integer() || value->get<double>() < 1 || value->get<double>() > kLargest) {
    refuse(key, "a whole number of at least 1");
  }
  return value->get<Index>();
}

Index ConfigKeys::size(const char* key, Index fallback) { return find(key) ? size(key) : fallback; }

double ConfigKeys::positive(const char* key, double fallback) { return maybe_positive(key).value_or(fallback); }

std::optional<double> ConfigKeys::maybe_positive(const char* key) {
  const Json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_number() || !(value->get<double>() > 0) || !std::isfinite(value->get<double>()))
    refuse(key, "a number above 0");
  return value->get<double>();
}

double ConfigKeys::number(const char* key, double fallback) {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_number() || !std::isfinite(value->get<double>())) refuse(key, "a number");
  return value->get<double>();
}

bool ConfigKeys::flag(const char* key, bool fallback) {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_boolean()) refuse(key, "true or false");
  return value->get<bool>();
}

std::string ConfigKeys::word(const char* key, const char* fallback) {
  const Json* value = find(key);
  if (!value) return fallback;
  if (!value->is_string()) refuse(key, "a string");
  return value->get<std::string>();
}

std::vector<std::string> ConfigKeys::words(const char* key) {
  const Json* value = find(key);
  if (!value) return {};
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), [](const Json& one) { return one.is_string(); }))
    refuse(key, "a list of strings");
  return value->get<std::vector<std::string>>();
}

bool ConfigKeys::has(const char* key) const {
  const auto found = config_.find(key);
  return found != config_.end() && !found->is_null();
}

bool ConfigKeys::is_null(const char* key) const {
  const auto found = config_.find(key);
  return found != config_.end() && found->is_null();
}

std::optional<ConfigKeys> ConfigKeys::part(const char* key) {
  const Json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_object()) refuse(key, "an object");
  return ConfigKeys(*value, where_ + ", " + key);
}

void ConfigKeys::must_be_false(std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (flag(key, false)) refuse(key, "false");
  }
}

void ConfigKeys::harmless(std::initializer_list<const char*> keys) { known_.insert(keys.begin(), keys.end()); }

void ConfigKeys::finish() const {
  for (const auto& [key, value] : config_.items()) {
    if (known_.count(key) != 0 || value.is_null() || value == Json(false) || (value.is_structured() && value.empty()))
      continue;
    const std::vector<std::string> known(known_.begin(), known_.end());
    throw base::UserError(
        base::Exit::Refused,
        fmt::format("{}: expected only keys diopter knows, got {} = {}, which might change the numbers{}", where_,
                    base::quoted(base::printable(key)), base::printable(base::plain_json(value), 80),
                    nearest_of(key, known)),
        "if the key does not change the forward pass, remove it from config.json", "model.config");
  }
}

}  // namespace diopter::model
