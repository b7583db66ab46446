#include "text/span_rules.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"
#include "text/unicode.hpp"

namespace diopter::text {
namespace {

bool continues(std::string_view text, std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; }

std::size_t next_character(std::string_view text, std::size_t at, std::size_t end) {
  do ++at;
  while (at < end && continues(text, at));
  return at;
}

std::size_t previous_character(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && continues(text, at));
  return at;
}

}  // namespace

Span WidenedSpans::operator()(std::size_t begin, std::size_t end) const {
  if (prefixed) {
    begin = begin == 0 ? 0 : begin - 1;
    end = std::max(end - 1, begin + 1);
  }
  begin += piece.begin;
  end += piece.begin;
  while (begin > piece.begin && continues(text, begin)) --begin;
  while (end < piece.end && continues(text, end)) ++end;
  return {begin, end};
}

WhiteSpace spaces_around(std::string_view token) {
  const std::size_t first = token.find_first_not_of(' ');
  if (first == std::string_view::npos) return {token.size(), token.size()};
  return {first, token.size() - 1 - token.find_last_not_of(' ')};
}

WhiteSpace white_space_around_added(std::string_view written) {
  const auto characters = base::code_points(written);
  // The library also takes the letter that stands for a space inside tokens as one.
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
