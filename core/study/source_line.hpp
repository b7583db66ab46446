// The two lines under a message: the source line and its carets. Private to the room.
#pragma once

#include <string>
#include <string_view>

#include "study/source_span.hpp"

namespace diopter::study {

inline constexpr int kToEndOfLine = 1 << 20;  // length of a span that goes on over further lines

// "   14 | answer = \" Colosseum\"\n      |          ^~~~~~~~~~~~\n"; long lines are cut around the span.
std::string source_line(std::string_view line, const SourceSpan& span);

}  // namespace diopter::study
