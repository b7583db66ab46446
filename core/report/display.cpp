#include "report/display.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/utf8.hpp"

namespace diopter::report {
namespace {

// Characters that draw nothing, or that change how others are drawn.
bool invisible(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x034F || c == 0x061C || c == 0x115F || c == 0x1160 ||
         c == 0x17B4 || c == 0x17B5 || (c >= 0x180B && c <= 0x180F) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x3164 || (c >= 0xFE00 && c <= 0xFE0F) ||
         c == 0xFEFF || c == 0xFFA0 || (c >= 0xFFF0 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

std::string cut(const std::string& text, std::size_t columns) {
  if (columns == 0 || base::display_width(text) <= columns) return text;
  std::string out;
  std::size_t width = 0;
  for (const char32_t c : base::code_points(text)) {
    const std::string one = base::to_utf8(c);
    width += base::display_width(one);
    if (width > columns - 1) break;
    out += one;
  }
  return out + "…";
}

std::string shown(std::string_view exact, std::size_t columns, bool mark_leading_space) {
  const std::string valid = base::escape_invalid_utf8(exact);
  std::string out;
  bool first = true;
  for (const char32_t c : base::code_points(valid)) {
    if (c == U' ' && first && mark_leading_space) out += "·";
    else if (c == U'\n') out += "⏎";
    else if (c == U'\t') out += "⇥";
    else if (invisible(c)) out += fmt::format("\\u{{{:X}}}", static_cast<unsigned>(c));
    else out += base::to_utf8(c);
    first = first && c == U' ';  // every leading space is marked
  }
  return cut(out, columns);
}

}  // namespace

std::string shown_token(std::string_view exact, std::size_t columns) { return shown(exact, columns, true); }
std::string shown_text(std::string_view exact, std::size_t columns) { return shown(exact, columns, false); }
std::string isolated(std::string_view text) { return "\u2068" + std::string(text) + "\u2069"; }

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string escape_json_block(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '<') out += "\\u003c";
    else if (c == '>') out += "\\u003e";
    else if (c == '&') out += "\\u0026";
    else if (json.substr(i, 3) == "\xE2\x80\xA8") out += "\\u2028", i += 2;
    else if (json.substr(i, 3) == "\xE2\x80\xA9") out += "\\u2029", i += 2;
    else out += c;
  }
  return out;
}

std::string json_text(std::string_view exact) {
  std::string out = "\"";
  for (const char32_t c : base::code_points(base::escape_invalid_utf8(exact))) {
    if (c == U'"') out += "\\\"";
    else if (c == U'\\') out += "\\\\";
    else if (c == U'\n') out += "\\n";
    else if (c == U'\t') out += "\\t";
    else if (c == U'\r') out += "\\r";
    else if (c >= 0x20 && c < 0x7F) out += static_cast<char>(c);
    else if (c < 0x10000) out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((static_cast<unsigned>(c) - 0x10000) >> 10),
                         0xDC00 + ((static_cast<unsigned>(c) - 0x10000) & 0x3FF));
  }
  return out + "\"";
}

std::string tsv_cell(std::string_view exact) {
  std::string out;
  for (const char c : exact) {
    switch (c) {
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\\': out += "\\\\"; break;
      default: out += c;
    }
  }
  return out;
}

std::string three_digits(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+inf" : "-inf";
  if (value == 0) return "0";
  if (value == std::floor(value) && std::abs(value) < 1e6) return fmt::format("{}", static_cast<std::int64_t>(value));
  return fmt::format("{:.3g}", value);
}

std::string base64(std::string_view bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) { return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0u; };
    const unsigned word = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    out += kAlphabet[word >> 18];
    out += kAlphabet[word >> 12 & 63];
    out += i + 1 < bytes.size() ? kAlphabet[word >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? kAlphabet[word & 63] : '=';
  }
  return out;
}

}  // namespace diopter::report
