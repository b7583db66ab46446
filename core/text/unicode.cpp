#include "text/unicode.hpp"

#include "base/utf8.hpp"

namespace diopter::text {
namespace {

constexpr const char* kLettersOfUnicode15And16 =
    R"(\x{1C89}-\x{1C8A}\x{A7CB}-\x{A7CD}\x{A7DA}-\x{A7DC}\x{105C0}-\x{105F3}\x{10D4A}-\x{10D65})"
    R"(\x{10D6F}-\x{10D85}\x{10EC2}-\x{10EC4}\x{1123F}-\x{11240}\x{11380}-\x{11389}\x{1138B}\x{1138E})"
    R"(\x{11390}-\x{113B5}\x{113B7}\x{113D1}\x{113D3}\x{11BC0}-\x{11BE0}\x{11F02}\x{11F04}-\x{11F10})"
    R"(\x{11F12}-\x{11F33}\x{1342F}\x{13441}-\x{13446}\x{13460}-\x{143FA}\x{16100}-\x{1611D}\x{16D40}-\x{16D6C})"
    R"(\x{18CFF}\x{1B132}\x{1B155}\x{1DF25}-\x{1DF2A}\x{1E030}-\x{1E06D}\x{1E4D0}-\x{1E4EB}\x{1E5D0}-\x{1E5ED})"
    R"(\x{1E5F0}\x{2B739}\x{2EBF0}-\x{2EE5D}\x{31350}-\x{323AF})";
constexpr const char* kNumbersOfUnicode15And16 =
    R"(\x{10D40}-\x{10D49}\x{116D0}-\x{116E3}\x{11BF0}-\x{11BF9}\x{11F50}-\x{11F59}\x{16130}-\x{16139})"
    R"(\x{16D70}-\x{16D79}\x{1CCF0}-\x{1CCF9}\x{1D2C0}-\x{1D2D3}\x{1E4F0}-\x{1E4F9}\x{1E5F1}-\x{1E5FA})";
// Marks and decimal digits; other numbers are not part of a word.
constexpr const char* kWordMarksOfUnicode15And16 =
    R"(\x{897}\x{CF3}\x{ECE}\x{10D40}-\x{10D49}\x{10D69}-\x{10D6D}\x{10EFC}-\x{10EFF}\x{11241})"
    R"(\x{113B8}-\x{113C0}\x{113C2}\x{113C5}\x{113C7}-\x{113CA}\x{113CC}-\x{113D0}\x{113D2}\x{113E1}-\x{113E2})"
    R"(\x{116D0}-\x{116E3}\x{11BF0}-\x{11BF9}\x{11F00}-\x{11F01}\x{11F03}\x{11F34}-\x{11F3A}\x{11F3E}-\x{11F42})"
    R"(\x{11F50}-\x{11F5A}\x{13440}\x{13447}-\x{13455}\x{1611E}-\x{16139}\x{16D70}-\x{16D79}\x{1CCF0}-\x{1CCF9})"
    R"(\x{1E08F}\x{1E4EC}-\x{1E4F9}\x{1E5EE}-\x{1E5EF}\x{1E5F1}-\x{1E5FA})";

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
  // UTS 18's \w: PCRE2's own lacks marks and connectors.
  static const Regex kWord("[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}" +
                           std::string(kLettersOfUnicode15And16) + kWordMarksOfUnicode15And16 + "]");
  Regex::Workspace workspace;
  return kWord.find(character, 0, workspace).has_value();
}

}  // namespace

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

const std::string& letters() {
  static const std::string kLetters = std::string("\\p{L}") + kLettersOfUnicode15And16;
  return kLetters;
}

const std::string& numbers() {
  static const std::string kNumbers = std::string("\\p{N}") + kNumbersOfUnicode15And16;
  return kNumbers;
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
