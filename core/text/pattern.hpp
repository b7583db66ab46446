// Regular expressions of tokenizer.json, which are written for Oniguruma (Ruby's syntax), as PCRE2 patterns.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/json_field.hpp"
#include "text/regex.hpp"

namespace diopter::text {

// The same pattern for PCRE2, with the character classes of unicode.hpp. Known: literals, escapes of punctuation and
// \r \n \t \f \v \xHH \x{H} \uHHHH, \s \S \d \D \p{..} \P{..} (categories of unicode_tables.hpp), ".", sets (also with
// a set inside), groups, look-around, |, quantifiers. Throws PatternError for what is not known: it could match other
// text here.
struct PatternError {
  std::string message;  // "at byte 3: ..."
};
std::string pcre2_pattern(std::string_view oniguruma);

// A literal as a PCRE2 pattern.
std::string escaped_pattern(std::string_view literal);

// The value of a "pattern" key: {"String": ".."} or {"Regex": ".."}. UserError(Refused) for what is unknown, for what
// PCRE2 does not compile and for a pattern that matches nothing at all (the library's iteration over such is its own).
std::shared_ptr<const Regex> read_pattern(const Field& field);

}  // namespace diopter::text
