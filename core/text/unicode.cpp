#include "text/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "text/unicode_tables.hpp"

namespace diopter::text {
namespace {

std::size_t last_character(std::string_view text) {
  std::size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return at;
}

std::size_t first_character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return size;
}

bool is_word(std::string_view character) {
  static const Regex kWord("[" + word_characters() + "]");
  Regex::Workspace workspace;
  return kWord.find(character, 0, workspace).has_value();
}

int category_of(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

// Lower case that utf8proc 2.8 lacks: letters of Unicode 16 and 17, as (first, last, what is added).
struct LaterCase {
  std::uint32_t first, last;
  std::int32_t change;
};
constexpr LaterCase kLaterCases[] = {{0x1C89, 0x1C89, 1},      {0xA7CB, 0xA7CB, 0x264 - 0xA7CB},
                                     {0xA7CC, 0xA7CC, 1},      {0xA7CE, 0xA7CE, 1},
                                     {0xA7D2, 0xA7D2, 1},      {0xA7D4, 0xA7D4, 1},
                                     {0xA7DA, 0xA7DA, 1},      {0xA7DC, 0xA7DC, 0x19B - 0xA7DC},
                                     {0x10D50, 0x10D65, 0x20}, {0x16EA0, 0x16EB8, 0x1B}};

}  // namespace

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

const std::string& letters() {
  static const std::string kLetters = std::string("\\p{L}") + later_members("L");
  return kLetters;
}

const std::string& numbers() {
  static const std::string kNumbers = std::string("\\p{N}") + later_members("N");
  return kNumbers;
}

const std::string& word_characters() {
  // UTS 18's \w: PCRE2's own lacks marks and connectors.
  static const std::string kWords =
      std::string("\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}") + later_members("L") + kLaterWordMarks;
  return kWords;
}

const std::string& white_space() {
  static const std::string kWhiteSpace =
      R"(\x09-\x0d\x20\x85\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
  return kWhiteSpace;
}

const Regex& gpt2_pattern() {
  static const Regex kPattern("'s|'t|'re|'ve|'m|'ll|'d| ?[" + letters() + "]+| ?[" + numbers() + "]+| ?[^" +
                              white_space() + letters() + numbers() + "]+|[" + white_space() + "]+(?![^" +
                              white_space() + "])|[" + white_space() + "]+");
  return kPattern;
}

bool is_mark(char32_t c) {
  if (c == 0x1CF2 || c == 0x1CF3) return true;  // marks in Unicode 9, letters now
  const int category = category_of(c);
  const bool mark =
      category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
  return mark && !contains(later_than_normaliser(), c);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return (c >= 0x21 && c <= 0x2f) || (c >= 0x3a && c <= 0x40) || (c >= 0x5b && c <= 0x60) || (c >= 0x7b && c <= 0x7e);
  if (c == 0x166D || c == 0x111C9) return true;  // punctuation in Unicode 9
  const int category = category_of(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO && !contains(later_punctuation(), c);
}

bool is_numeric(char32_t c) {
  // Numbers of Unicode 16 and 17.
  static constexpr CharacterRange kLater[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9},
                                              {0x11DE0, 0x11DE9}, {0x11F50, 0x11F59}, {0x16130, 0x16139},
                                              {0x16D70, 0x16D79}, {0x16FF4, 0x16FF6}, {0x1CCF0, 0x1CCF9},
                                              {0x1D2C0, 0x1D2D3}, {0x1E4F0, 0x1E4F9}, {0x1E5F1, 0x1E5FA}};
  const int category = category_of(c);
  return (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) || contains(kLater, c);
}

char32_t to_lower(char32_t c) {
  if (c < 0x80) return c >= U'A' && c <= U'Z' ? c + 0x20 : c;
  for (const LaterCase& later : kLaterCases) {
    if (c >= later.first && c <= later.last) return static_cast<char32_t>(static_cast<std::int64_t>(c) + later.change);
  }
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

bool ends_with_word(std::string_view text) { return !text.empty() && is_word(text.substr(last_character(text))); }

bool starts_with_word(std::string_view text) {
  return !text.empty() && is_word(text.substr(0, first_character_size(text)));
}

std::size_t white_space_at_end(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    const std::size_t at = last_character(text.substr(0, end));
    if (!is_white_space(base::code_points(text.substr(at, end - at))[0])) break;
    end = at;
  }
  return text.size() - end;
}

std::size_t white_space_at_start(std::string_view text) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t size = first_character_size(text.substr(begin));
    if (!is_white_space(base::code_points(text.substr(begin, size))[0])) break;
    begin += size;
  }
  return begin;
}

}  // namespace diopter::text
