#include "study/table_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/hints.hpp"

namespace diopter::study {
namespace {

struct Home {
  std::string_view table;
  std::initializer_list<std::string_view> keys;
};

// Keys that belong to one table only; "path", "of", "as", "file" and "text" live in several.
const std::array<Home, 8> kHomes = {{
    {"[execution]", {"jobs", "threads", "memory_budget", "verify", "strict", "on_error", "retries", "timeout"}},
    {"[model]", {"source", "dtype", "device", "compute", "bos", "transforms"}},
    {"[experiment]", {"about"}},
    {"[[run]]", {"kind", "prompts", "seed", "needs", "match", "metrics", "normalise", "min_gap"}},
    {"[[run.edit]]", {"op", "hook", "coefficient", "heads", "kv_heads", "neurons"}},
    {"[prompts.NAME]", {"rows", "limit", "align", "slots", "combine", "cut", "split", "like"}},
    {"[[expect]]", {"is", "within", "when"}},
    {"[[report.figure]]", {"facet", "slider", "each", "colour", "origin", "centre"}},
}};

}  // namespace

std::string home_of(std::string_view key) {
  for (const auto& home : kHomes) {
    if (std::find(home.keys.begin(), home.keys.end(), key) != home.keys.end()) return std::string(home.table);
  }
  return {};
}

std::string hint_elsewhere(std::string_view key) {
  std::vector<std::string> known;
  for (const auto& home : kHomes) known.insert(known.end(), home.keys.begin(), home.keys.end());
  const auto close = base::nearest(key, known);
  return close.empty() ? "" : fmt::format(" (did you mean '{}' of {}?)", close.front(), home_of(close.front()));
}

bool is_table_list(const Member& member, std::string_view name, Problems& problems) {
  if (member.value.is_array_of_tables()) return true;
  if (member.value.is(Node::Type::Table)) {
    problems.error(member.key_span, fmt::format("'{}' is a list of tables; write [[{}]], not [{}]", name, name, name));
  } else {
    problems.error(member.value.span,
                   fmt::format("'{}' is {}, not a list of [[{}]] tables", name, type_name(member.value), name));
  }
  return false;
}

TableReader::TableReader(const Node& table, std::string name, Problems& problems)
    : table_(table), name_(std::move(name)), problems_(problems) {}

const Member* TableReader::take(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  return table_.find(key);
}

void TableReader::later(std::string_view key) {
  if (const Member* m = table_.find(key)) {
    problems_.error(m->key_span, fmt::format("'{}' of {} is not yet in this version", key, name_));
  }
  take(key);
}

const Member* TableReader::require(std::string_view key, std::string_view example) {
  const Member* found = take(key);
  if (found == nullptr) {
    problems_.error(table_.span, fmt::format("{} needs the key '{}'; for example {}", name_, key, example));
  }
  return found;
}

void TableReader::wrong(const Member& member, std::string_view expected) {
  problems_.error(member.value.span, fmt::format("'{}' of {} is {}, which is {}, not {}", member.key, name_,
                                                 brief(member.value), type_name(member.value), expected));
}

std::optional<std::string> TableReader::string(std::string_view key) {
  const Member* m = take(key);
  if (m == nullptr) return std::nullopt;
  if (m->value.is(Node::Type::String)) return m->value.text;
  wrong(*m, "a string");
  return std::nullopt;
}

std::optional<std::string> TableReader::choice(std::string_view key, const std::vector<std::string>& choices) {
  auto value = string(key);
  if (!value || std::find(choices.begin(), choices.end(), *value) != choices.end()) return value;
  problems_.error(table_.find(key)->value.span, fmt::format("'{}' of {} is '{}', which is not one of its choices{}",
                                                            key, name_, *value, base::did_you_mean(*value, choices)));
  return std::nullopt;
}

std::optional<std::vector<std::string>> TableReader::strings(std::string_view key) {
  const Member* m = take(key);
  if (m == nullptr) return std::nullopt;
  if (!m->value.is(Node::Type::Array)) {
    wrong(*m, "a list of strings");
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (const auto& item : m->value.items) {
    if (!item.is(Node::Type::String)) {
      problems_.error(item.span,
                      fmt::format("item {} of '{}' of {} is {}, which is {}, not a string",
                                  &item - m->value.items.data() + 1, key, name_, brief(item), type_name(item)));
      return std::nullopt;
    }
    out.push_back(item.text);
  }
  return out;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const Member* m = take(key);
  if (m == nullptr) return std::nullopt;
  if (m->value.is(Node::Type::Boolean)) return m->value.boolean;
  wrong(*m, "true or false");
  return std::nullopt;
}

std::optional<double> TableReader::number(std::string_view key, double min) {
  const Member* m = take(key);
  if (m == nullptr) return std::nullopt;
  if (!m->value.is_number()) {
    wrong(*m, "a number");
    return std::nullopt;
  }
  if (!std::isfinite(m->value.number)) {
    problems_.error(m->value.span,
                    fmt::format("'{}' of {} is {}, which is not a finite number", key, name_, brief(m->value)));
    return std::nullopt;
  }
  if (m->value.number < min) {
    problems_.error(m->value.span,
                    fmt::format("'{}' of {} is {}, which is below {:g}", key, name_, brief(m->value), min));
    return std::nullopt;
  }
  return m->value.number;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const Member* m = take(key);
  if (m == nullptr) return std::nullopt;
  if (!m->value.is(Node::Type::Integer)) {
    wrong(*m, "a whole number");
    return std::nullopt;
  }
  const std::int64_t value = m->value.integer;
  if (value >= min && value <= max) return value;
  problems_.error(m->value.span, value < min
                                     ? fmt::format("'{}' of {} is {}, which is below {}", key, name_, value, min)
                                     : fmt::format("'{}' of {} is {}, which is above {}", key, name_, value, max));
  return std::nullopt;
}

void TableReader::finish() {
  for (const auto& m : table_.members) {
    if (std::find(known_.begin(), known_.end(), m.key) != known_.end()) continue;
    const std::string home = home_of(m.key);
    if (!home.empty() && home != name_) {
      problems_.error(m.key_span, fmt::format("'{}' belongs in {}", m.key, home));
    } else {
      const std::string elsewhere = base::nearest(m.key, known_).empty() ? hint_elsewhere(m.key) : "";
      problems_.error(m.key_span, fmt::format("unknown key '{}' in {}{}", m.key, name_,
                                              elsewhere.empty() ? base::did_you_mean(m.key, known_) : elsewhere));
    }
  }
}

}  // namespace diopter::study
