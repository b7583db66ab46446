// Text from anywhere made safe and legible: tokens, labels, prompts, messages. Nothing here trusts its input.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace diopter::report {

inline constexpr std::size_t kCellColumns = 12;  // a token in a cell is at most this wide

// Leading space "·", newline "⏎", tab "⇥"; other controls, bidi controls and zero-width characters "\u{202E}"; bytes
// that are not UTF-8 "\xE2". Cut to `columns` terminal columns with "…" (0: never).
std::string shown_token(std::string_view exact, std::size_t columns = 0);
// The same without the mark for a leading space: names, sentences.
std::string shown_text(std::string_view exact, std::size_t columns = 0);
// Between U+2068 and U+2069, so that right-to-left text cannot move its neighbours.
std::string isolated(std::string_view shown);

std::string escape_html(std::string_view text);  // & < > " '
// For a <script type="application/json"> block: < > & U+2028 U+2029 as \u....
std::string escape_json_block(std::string_view json);
// The exact string as JSON writes it, ASCII only, bytes that are not UTF-8 as \xHH: for hover and tools.
std::string json_text(std::string_view exact);
std::string tsv_cell(std::string_view exact);  // tab, newline, carriage return, backslash as "\t", "\n", "\r", "\\"

// Three significant digits: "0.912", "-7.27", "1.2e-05", "NaN", "+inf"; integers below 1e6 in full.
std::string three_digits(double value);

std::string base64(std::string_view bytes);

}  // namespace diopter::report
