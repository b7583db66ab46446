#include "study/source_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/utf8.hpp"

namespace diopter::study {
namespace {

constexpr std::size_t kWidth = 110;  // of the shown part of a line
constexpr std::size_t kBefore = 40;  // shown before the carets when the line is cut

struct Piece {  // one character of the line as it is shown
  std::string text;
  std::size_t width;
};

std::vector<Piece> pieces_of(std::string_view line) {
  std::vector<Piece> out;
  for (const char32_t c : base::code_points(base::replace_invalid_utf8(line))) {
    const std::string shown = c == U'\t' ? " " : base::printable(base::to_utf8(c));
    out.push_back({shown, std::max<std::size_t>(1, base::display_width(shown))});
  }
  return out;
}

}  // namespace

std::string source_line(std::string_view line, const SourceSpan& span) {
  const std::vector<Piece> pieces = pieces_of(line);
  const std::size_t begin =
      std::min<std::size_t>(static_cast<std::size_t>(std::max(1, span.column)) - 1, pieces.size());
  const std::size_t length = static_cast<std::size_t>(std::max(1, span.length));
  const std::size_t end = std::min(pieces.size(), begin + length);

  std::size_t first = 0;
  std::size_t before = 0, total = 0;  // widths: up to the carets; of the whole line
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    total += pieces[i].width;
    if (i < begin) before += pieces[i].width;
  }
  std::string shown;
  if (total > kWidth) {
    while (before > kBefore) before -= pieces[first++].width;
    if (first > 0) shown = "…", before += 1;
  }
  std::size_t used = 0, carets = 0;
  for (std::size_t i = first; i < pieces.size(); ++i) {
    if (used + pieces[i].width > kWidth) {
      shown += "…";
      break;
    }
    used += pieces[i].width;
    shown += pieces[i].text;
    if (i >= begin && i < end) carets += pieces[i].width;
  }
  const std::string number = span.override_number > 0 ? "" : std::to_string(span.line);
  return fmt::format("{:>5} | {}\n      | {}^{}\n", number, shown, std::string(before, ' '),
                     std::string(carets > 1 ? carets - 1 : 0, '~'));
}

}  // namespace diopter::study
