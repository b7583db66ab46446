#include "study/prompt_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/hints.hpp"

namespace diopter::study {
namespace {

using base::Json;
constexpr std::array<std::string_view, 7> kRoles = {"clean", "corrupted", "answer", "foil", "group", "unit", "map"};
constexpr std::size_t kMaxRowProblems = 20;

bool is_role(std::string_view column) { return std::find(kRoles.begin(), kRoles.end(), column) != kRoles.end(); }

std::string json_brief(const Json& value) { return brief(node_of(value)); }

bool is_scalar(const Json& value) { return value.is_string() || value.is_boolean() || value.is_number(); }

bool all_strings(const Json& value) {
  return std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); });
}

// "" or what is wrong with the value.
std::string wrong_with(const std::string& column, const Json& value) {
  if (column == "clean" || column == "corrupted" || column == "unit" || column == "group") {
    if (!value.is_string()) return fmt::format("'{}' is {}, which is not a string", column, json_brief(value));
    if (value.get_ref<const std::string&>().empty()) return fmt::format("'{}' is empty", column);
    return {};
  }
  if (column == "answer" || column == "foil") {
    const bool fine = value.is_string() ? !value.get_ref<const std::string&>().empty()
                                        : value.is_array() && !value.empty() && all_strings(value);
    if (fine) return {};
    return fmt::format("'{}' is {}, which is neither a string nor a list of strings", column, json_brief(value));
  }
  if (column == "map") {
    const bool fine = value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& pair) {
                        return pair.is_array() && pair.size() == 2 && pair[0].is_number_integer() &&
                               pair[1].is_number_integer() &&
                               !(pair[0].is_number_unsigned() && pair[0].get<std::uint64_t>() > (1u << 30)) &&
                               !(pair[1].is_number_unsigned() && pair[1].get<std::uint64_t>() > (1u << 30));
                      });
    return fine ? "" : "'map' is not a list of pairs of positions, as in [[0, 0], [1, 2]]";
  }
  if (is_scalar(value)) {
    if (value.is_number_float() && !std::isfinite(value.get<double>()))
      return fmt::format("'{}' is not a finite number", column);
    return {};
  }
  if (value.is_array() && std::all_of(value.begin(), value.end(), is_scalar)) return {};
  return fmt::format("'{}' is {}, but a column holds a string, a number, true, false or a list of these", column,
                     json_brief(value));
}

// `text` is another word for `clean`.
bool fold_text(PromptRow& row, Problems& problems) {
  const auto text =
      std::find_if(row.cells.begin(), row.cells.end(), [](const PromptCell& c) { return c.column == "text"; });
  if (text == row.cells.end()) return true;
  if (row.find("clean") != nullptr) {
    problems.error(text->span, "a row has 'clean' and 'text', which mean the same; remove one");
    return false;
  }
  text->column = "clean";
  return true;
}

void hint_at_roles(const PromptRow& row, Problem& problem) {
  for (const auto& cell : row.cells) {
    const auto close = base::nearest(cell.column, {"clean", "text"});
    if (!close.empty()) problem.help = fmt::format("is '{}' meant to be '{}'?", cell.column, close.front());
  }
}

}  // namespace

PromptRow row_of(const Node& table) {
  PromptRow out;
  out.span = table.span;
  for (const auto& m : table.members) out.cells.push_back({m.key, to_json(m.value), m.value.span});
  return out;
}

bool check_rows(PromptSet& set, Problems& problems) {
  const std::size_t before = problems.added();
  const auto full = [&] { return problems.added() - before >= kMaxRowProblems; };
  std::vector<std::string> free_columns, present;
  for (auto& row : set.rows) {
    if (full()) return false;
    fold_text(row, problems);
    for (const auto& cell : row.cells) {
      const std::string wrong = wrong_with(cell.column, cell.value);
      if (!wrong.empty()) problems.error(cell.span, wrong);
      auto& list = is_role(cell.column) ? present : free_columns;
      if (std::find(list.begin(), list.end(), cell.column) == list.end()) list.push_back(cell.column);
    }
  }
  for (const auto role : kRoles) {
    const bool somewhere = std::find(present.begin(), present.end(), role) != present.end();
    if (somewhere) set.columns.emplace_back(role);
    if (!somewhere && role != "clean") continue;
    for (std::size_t i = 0; i < set.rows.size() && !full(); ++i) {
      if (set.rows[i].find(role) != nullptr) continue;
      Problem& p = problems.error(set.rows[i].span,
                                  role == "clean" ? fmt::format("row {} has no 'clean' (or 'text')", i + 1)
                                                  : fmt::format("row {} has no '{}', but other rows do", i + 1, role));
      if (role == "clean") hint_at_roles(set.rows[i], p);
    }
  }
  const bool fine = problems.added() == before;  // what follows are warnings
  for (const auto& column : free_columns) {
    std::vector<std::string> absent;  // a role that is there cannot be what was meant
    for (const auto role : kRoles) {
      if (std::find(present.begin(), present.end(), role) == present.end()) absent.emplace_back(role);
    }
    const auto close = base::nearest(column, absent);
    if (close.empty() || close.front() == "map" || close.front() == "unit") continue;
    const auto row =
        std::find_if(set.rows.begin(), set.rows.end(), [&](const PromptRow& r) { return r.find(column) != nullptr; });
    problems.warning(
        "column", row->find(column)->span,
        fmt::format("the column '{}' means nothing to diopter; is it meant to be '{}'?", column, close.front()));
  }
  set.columns.insert(set.columns.end(), free_columns.begin(), free_columns.end());
  return fine;
}

}  // namespace diopter::study
