// Prompt sets: rows of columns, each cell with its place. Text only; token ids are made by whoever has the tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/source_span.hpp"

namespace diopter::study {

struct PromptCell {
  std::string column;
  base::Json value;  // string, integer, float, boolean, or a list of these
  SourceSpan span;   // of the value
};

struct PromptRow {
  std::vector<PromptCell> cells;
  SourceSpan span;  // the [[rows]] header, or the line of the file

  const PromptCell* find(std::string_view column) const;
  // The text of a string cell; nullptr when the row has no such column. `text` in a file is read as `clean`.
  const std::string* text(std::string_view column) const;
  // `answer` and `foil`: one string or a list, always as a list; empty when the row has none.
  std::vector<std::string> choices(std::string_view column) const;
  // `map`: pairs of positions (clean, corrupted); empty when the row has none.
  std::vector<std::pair<std::int64_t, std::int64_t>> map() const;
};

enum class Align { None, End };

struct PromptSet {
  std::string name;
  SourceSpan span;  // the name in [prompts.NAME]
  std::vector<std::string>
      columns;  // of all rows: roles in the order clean corrupted answer foil group unit map, then others as met
  std::vector<PromptRow> rows;  // at least one
  Align align = Align::None;    // End: positions are compared from the last token
  std::filesystem::path path;   // of the file it came from; empty when inline
  std::string sha256;           // of prompt_set_json()

  bool has_column(std::string_view column) const;  // in every row, for roles (a role in some rows only is refused)
};

// {"align":"none","rows":[{"answer":" Mary","clean":"..."}]}: what is hashed. No names, no paths.
base::Json prompt_set_json(const PromptSet& set);

}  // namespace diopter::study
