#include "text/span_rules.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"
#include "text/characters.hpp"
#include "text/unicode.hpp"

namespace diopter::text {
namespace {

std::size_t next_character(std::string_view text, std::size_t at, std::size_t end) {
  do ++at;
  while (at < end && is_continuation(text[at]));
  return at;
}

std::size_t previous_character(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && is_continuation(text[at]));
  return at;
}

}  // namespace

WhiteSpace white_space_around(std::string_view written) {
  const auto characters = base::code_points(written);
  // The letter that stands for a space inside byte-level tokens is one, wherever it occurs.
  const auto solid = [](char32_t c) { return !is_white_space(c) && c != symbol_of(' '); };
  const auto first = std::find_if(characters.begin(), characters.end(), solid);
  const auto last = std::find_if(characters.rbegin(), characters.rend(), solid);
  return {static_cast<std::size_t>(first - characters.begin()), static_cast<std::size_t>(last - characters.rbegin())};
}

Span trimmed(std::string_view text, Span span, WhiteSpace space) {
  for (std::size_t i = 0; i < space.before && span.begin < span.end; ++i) {
    span.begin = next_character(text, span.begin, span.end);
  }
  std::size_t end = span.end;
  for (std::size_t i = 0; i < space.after; ++i) {
    if (end == 0) return span;  // more spaces than the text has: one of them was put there
    end = previous_character(text, end);
  }
  span.end = std::max(end, span.begin);
  return span;
}

}  // namespace diopter::text
