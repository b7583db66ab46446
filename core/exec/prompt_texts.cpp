#include "exec/prompt_texts.hpp"

#include <algorithm>

namespace diopter::exec {
namespace {

IdTable table_of(std::string name, std::string second, const std::vector<std::vector<Index>>& rows) {
  std::size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, row.size());
  IdTable out{.name = std::move(name),
              .ids = {},
              .shape = {std::ssize(rows), static_cast<std::int64_t>(longest)},
              .second = std::move(second)};
  for (const auto& row : rows) {
    out.ids.insert(out.ids.end(), row.begin(), row.end());
    out.ids.insert(out.ids.end(), longest - row.size(), -1);
  }
  return out;
}

}  // namespace

std::vector<IdTable> id_tables(const PromptsData& data) {
  std::vector<IdTable> out;
  std::vector<std::vector<Index>> clean, corrupted;
  for (const auto& row : data.rows) {
    clean.push_back(row.tokens);
    corrupted.push_back(row.corrupted);
  }
  out.push_back(table_of("prompts.clean_ids", "pos", clean));
  if (data.has_pairs) out.push_back(table_of("prompts.corrupted_ids", "pos", corrupted));
  for (const auto& [column, rows] : data.answers) {
    std::vector<std::vector<Index>> first_tokens;  // of each choice; the text of longer ones is in the recorded rows
    for (const auto& choices : rows) {
      auto& ids = first_tokens.emplace_back();
      for (const auto& tokens : choices) ids.push_back(tokens.front());
    }
    out.push_back(table_of("prompts." + column + "_ids", "choice", first_tokens));
  }
  return out;
}

}  // namespace diopter::exec
