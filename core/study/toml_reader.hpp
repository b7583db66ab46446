// TOML text -> Node tree with places.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "study/node.hpp"
#include "study/problems.hpp"

namespace diopter::study {

// `file` is what messages show. The text is registered with `problems`. Nothing: not UTF-8, not TOML, nested too deep,
// too large. The parser stops at the first syntax error of a document.
std::optional<Node> read_toml(std::string_view text, const std::string& file, Problems& problems,
                              int override_number = 0);

}  // namespace diopter::study
