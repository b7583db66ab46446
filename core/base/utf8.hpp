// UTF-8: is it, and how to show what is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace diopter::base {

// Offset of the first byte that is not part of well-formed UTF-8 (no surrogates, no overlong forms), or nothing.
std::optional<std::size_t> invalid_utf8_offset(std::string_view text);
// Ill-formed bytes become "\xHH", NUL becomes "\x00"; everything else stays. For free text in the store.
std::string escape_invalid_utf8(std::string_view text);
// For messages and terminals: control characters, bidi controls and zero-width characters become "\n", "\t",
// "\u{202E}"; ill-formed bytes "\xHH"; cut after `limit` bytes at a character boundary with "…".
std::string printable(std::string_view text, std::size_t limit = 200);
// Ill-formed sequences replaced by U+FFFD as Rust's from_utf8_lossy does (one per maximal subpart).
std::string replace_invalid_utf8(std::string_view text);
std::vector<char32_t> code_points(std::string_view valid_utf8);
std::string to_utf8(char32_t code_point);
// Columns on a terminal: combining marks 0, East Asian wide and emoji 2, else 1. Text must be valid UTF-8.
std::size_t display_width(std::string_view text);

}  // namespace diopter::base
