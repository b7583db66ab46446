// What the tokenizers library (0.23) knows of Unicode where the system's libraries know something else.
//
// Its regular expressions have Unicode 16 and its lower case 17; its normaliser and its punctuation stopped at
// Unicode 9. PCRE2 10.42 has Unicode 14, utf8proc 2.8 has 15. The lists here were measured over all code points, and
// text_oracle_test measures them again.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace diopter::text {

struct CharacterRange {
  std::uint32_t first = 0, last = 0;  // inclusive
};
bool contains(std::span<const CharacterRange> sorted, char32_t c);

// Characters that Unicode 15 and 16 added to a general category, to be put in a PCRE2 class beside \p{CATEGORY}. Empty
// for a category without any; nullptr for one that patterns may not name here. Known: L Lu Ll Lt Lm Lo M N Nd Nl No P
// S.
const char* later_members(std::string_view category);

// Marks and characters with a decomposition that are newer than Unicode 9: the normaliser leaves them as they are.
std::span<const CharacterRange> later_than_normaliser();
// Punctuation newer than Unicode 9: not punctuation to the pre-tokenisers.
std::span<const CharacterRange> later_punctuation();
// Members of Rust's \w, newer than Unicode 14, that are neither letters nor already in later_members("L").
extern const char* const kLaterWordMarks;

}  // namespace diopter::text
