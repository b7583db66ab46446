// Where in the text a token came from, by the rules of the tokenizers library.
#pragma once

#include <string_view>

#include "text/regex.hpp"

namespace diopter::text {

// White space at the two ends of a token, in characters. `written` is the token as the vocabulary or, for an added one,
// the text writes it.
struct WhiteSpace {
  std::size_t before = 0, after = 0;
};
WhiteSpace white_space_around(std::string_view written);

// A post-processor with trim_offsets: white space at the ends of a token is left out of its span.
Span trimmed(std::string_view text, Span span, WhiteSpace space);

}  // namespace diopter::text
