// Character classes as the tokenizers library (0.23) has them: as members of PCRE2 classes, and as functions.
//
// Where its Unicode and the system's libraries' differ: unicode_tables.hpp. PCRE2's \s has one more character than
// Oniguruma's, U+180E (Mongolian vowel separator), hence white space is written out. With libraries newer than Unicode
// 16 the letters assigned later would be letters here and not in tokenizers 0.23; text_oracle_test measures it.
#pragma once

#include <string>
#include <string_view>

#include "text/regex.hpp"

namespace diopter::text {

// Members of a class, to be put in brackets: "[" + letters() + "]".
const std::string& letters();          // \p{L}
const std::string& numbers();          // \p{N}
const std::string& white_space();      // \s
const std::string& word_characters();  // \w of Rust's regex crate

// The GPT-2 pre-tokeniser: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
const Regex& gpt2_pattern();

bool is_white_space(char32_t c);
bool is_mark(char32_t c);         // what StripAccents drops: a mark in Unicode 9
bool is_punctuation(char32_t c);  // to the pre-tokenisers: ASCII punctuation, and punctuation in Unicode 9
bool is_numeric(char32_t c);      // Rust's: any number
char32_t to_lower(char32_t c);    // U+0130 aside, whose lower case is two characters

// What Rust's regex crate calls \w and \s, at the two ends of a text: the rules of added tokens.
bool ends_with_word(std::string_view text);
bool starts_with_word(std::string_view text);
std::size_t white_space_at_end(std::string_view text);    // bytes
std::size_t white_space_at_start(std::string_view text);  // bytes

}  // namespace diopter::text
