// CSV as of RFC 4180: comma, double quotes, a header line. Every field is text, with its place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "study/problems.hpp"
#include "study/prompts.hpp"

namespace diopter::study {

// At most `limit` rows. An empty field that was not quoted means that the row has no such column. Blank lines are
// skipped. A byte order mark is skipped. Problems are placed in `file`; nothing: there were some.
std::optional<std::vector<PromptRow>> read_csv(std::string_view text, const std::string& file, std::size_t limit,
                                               Problems& problems);

}  // namespace diopter::study
