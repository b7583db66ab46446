// JSON lines: one object a line, one row of a prompt set, every value with its place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "study/problems.hpp"
#include "study/prompts.hpp"

namespace diopter::study {

// At most `limit` rows. Blank lines are skipped; null means that the row has no such column. Problems are placed in
// `file`.
std::optional<std::vector<PromptRow>> read_jsonl(std::string_view text, const std::string& file, std::size_t limit,
                                                 Problems& problems);

}  // namespace diopter::study
