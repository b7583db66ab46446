// Where in the text a token came from, by the rules of the tokenizers library.
#pragma once

#include <string_view>

#include "text/regex.hpp"

namespace diopter::text {

// Spans of a piece of text -> spans of the whole text, widened to whole characters. When a space was put before the
// piece, offsets count it and it belongs to the first character.
struct WidenedSpans {
  std::string_view text;
  Span piece;
  bool prefixed;

  Span operator()(std::size_t begin, std::size_t end) const;
};

// White space at the two ends of a token, in characters.
struct WhiteSpace {
  std::size_t before = 0, after = 0;
};
WhiteSpace spaces_around(std::string_view token_bytes);
WhiteSpace white_space_around_added(std::string_view written);  // as it stands in the text

// A post-processor with trim_offsets: white space at the ends of a token is left out of its span.
Span trimmed(std::string_view text, Span span, WhiteSpace space);

}  // namespace diopter::text
