#include "base/utf8.hpp"

namespace diopter::base {
namespace {

struct Decoded {
  char32_t code_point = 0;
  std::size_t length = 0;  // bytes of the well-formed character, or of the maximal ill-formed subpart
  bool valid = false;
};

// Table 3-7 of the Unicode standard: ranges of the second byte depend on the first.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  std::size_t length = 0;
  unsigned char low = 0x80, high = 0xbf;
  char32_t value = 0;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2, value = first & 0x1f;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3, value = first & 0x0f;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4, value = first & 0x07;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  } else {
    return {0, 1, false};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {0, i, false};
    value = (value << 6) | (byte(i) & 0x3f);
    low = 0x80, high = 0xbf;
  }
  return {value, length, true};
}

std::string hex(unsigned value, int digits) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += kDigits[(value >> shift) & 15];
  return out;
}

bool is_hidden(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
         (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

}  // namespace

std::optional<std::size_t> invalid_utf8_offset(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Decoded d = decode(text.substr(i));
    if (!d.valid) return i;
    i += d.length;
  }
  return std::nullopt;
}

std::string escape_invalid_utf8(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const Decoded d = decode(text.substr(i));
    if (d.valid && d.code_point != 0) {
      out += text.substr(i, d.length);
    } else {
      for (std::size_t k = 0; k < d.length; ++k) out += "\\x" + hex(static_cast<unsigned char>(text[i + k]), 2);
    }
    i += d.length;
  }
  return out;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const Decoded d = decode(text.substr(i));
    std::string piece;
    if (!d.valid) {
      for (std::size_t k = 0; k < d.length; ++k) piece += "\\x" + hex(static_cast<unsigned char>(text[i + k]), 2);
    } else if (d.code_point == '\n') {
      piece = "\\n";
    } else if (d.code_point == '\t') {
      piece = "\\t";
    } else if (d.code_point == '\r') {
      piece = "\\r";
    } else if (is_hidden(d.code_point)) {
      piece = "\\u{" + hex(d.code_point, d.code_point > 0xffff ? 6 : 4) + "}";
    } else {
      piece = std::string(text.substr(i, d.length));
    }
    if (out.size() + piece.size() > limit) return out + "…";
    out += piece;
    i += d.length;
  }
  return out;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const Decoded d = decode(text.substr(i));
    out += d.valid ? std::string(text.substr(i, d.length)) : std::string("\xEF\xBF\xBD");
    i += d.length;
  }
  return out;
}

std::vector<char32_t> code_points(std::string_view text) {
  std::vector<char32_t> out;
  for (std::size_t i = 0; i < text.size();) {
    const Decoded d = decode(text.substr(i));
    out.push_back(d.valid ? d.code_point : U'\uFFFD');
    i += d.length;
  }
  return out;
}

std::string to_utf8(char32_t c) {
  std::string out;
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (const char32_t c : code_points(text)) {
    const bool combining = (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f) ||
                           (c >= 0x20d0 && c <= 0x20ff) || (c >= 0x1ab0 && c <= 0x1aff);
    const bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                      (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                      (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
    width += combining ? 0 : wide ? 2 : 1;
  }
  return width;
}

}  // namespace diopter::base
