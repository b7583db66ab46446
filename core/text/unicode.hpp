// Character classes as the tokenizers library (0.23: Oniguruma with Unicode 16) has them, for PCRE2 patterns.
//
// Two differences were measured over all code points against PCRE2 10.42 (Unicode 14):
// - PCRE2's \s has one more character, U+180E (Mongolian vowel separator);
// - 9,272 letters and 120 numbers were assigned in Unicode 15 to 16. No character changed its class.
// Hence white space is written out, and the newer characters are added to \p{L} and \p{N}. With a PCRE2 newer than
// Unicode 16 the letters assigned later would be letters here and not in tokenizers 0.23; text_oracle_test measures it.
#pragma once

#include <string>
#include <string_view>

#include "text/regex.hpp"

namespace diopter::text {

// Members of a class, to be put in brackets: "[" + letters() + "]".
const std::string& letters();      // \p{L}
const std::string& numbers();      // \p{N}
const std::string& white_space();  // \s

// The GPT-2 pre-tokeniser: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
const Regex& gpt2_pattern();

bool is_white_space(char32_t c);

// What Rust's regex crate calls \w and \s, at the two ends of a text: the rules of added tokens.
bool ends_with_word(std::string_view text);
bool starts_with_word(std::string_view text);
std::size_t white_space_at_end(std::string_view text);    // bytes
std::size_t white_space_at_start(std::string_view text);  // bytes

}  // namespace diopter::text
