#include "study/prompts.hpp"

#include <algorithm>

namespace diopter::study {

const PromptCell* PromptRow::find(std::string_view column) const {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const PromptCell& c) { return c.column == column; });
  return found == cells.end() ? nullptr : &*found;
}

const std::string* PromptRow::text(std::string_view column) const {
  const PromptCell* cell = find(column);
  return cell != nullptr && cell->value.is_string() ? cell->value.get_ptr<const std::string*>() : nullptr;
}

std::vector<std::string> PromptRow::choices(std::string_view column) const {
  const PromptCell* cell = find(column);
  if (cell == nullptr) return {};
  if (cell->value.is_string()) return {cell->value.get<std::string>()};
  return cell->value.get<std::vector<std::string>>();
}

std::vector<std::pair<std::int64_t, std::int64_t>> PromptRow::map() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  if (const PromptCell* cell = find("map")) {
    for (const auto& pair : cell->value) out.emplace_back(pair[0].get<std::int64_t>(), pair[1].get<std::int64_t>());
  }
  return out;
}

bool PromptSet::has_column(std::string_view column) const {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

base::Json prompt_set_json(const PromptSet& set) {
  base::Json rows = base::Json::array();
  for (const auto& row : set.rows) {
    base::Json object = base::Json::object();
    for (const auto& cell : row.cells) object[cell.column] = cell.value;
    rows.push_back(std::move(object));
  }
  return {{"align", set.align == Align::End ? "end" : "none"}, {"rows", std::move(rows)}};
}

}  // namespace diopter::study
