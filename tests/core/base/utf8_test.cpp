#include "base/utf8.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace diopter::base {
namespace {

using testing::ElementsAre;

TEST(Utf8, FindsTheFirstIllFormedByte) {
  EXPECT_EQ(invalid_utf8_offset("na\u00efve \u20ac \U0001F600"), std::nullopt);
  EXPECT_EQ(invalid_utf8_offset(""), std::nullopt);
  EXPECT_EQ(invalid_utf8_offset("a\x80"), 1u);     // a continuation alone
  EXPECT_EQ(invalid_utf8_offset("\xC0\xAF"), 0u);  // overlong
  EXPECT_EQ(invalid_utf8_offset("\xE0\x80\xAF"), 0u);
  EXPECT_EQ(invalid_utf8_offset("ab\xED\xA0\x80"), 2u);    // surrogate
  EXPECT_EQ(invalid_utf8_offset("\xF4\x90\x80\x80"), 0u);  // beyond U+10FFFF
  EXPECT_EQ(invalid_utf8_offset("\xED\x9F\xBF\xF4\x8F\xBF\xBF"), std::nullopt);
  EXPECT_EQ(invalid_utf8_offset("x\xE2\x82"), 1u);  // cut short
}

// The example of the Unicode standard, table 3-8: one replacement for each maximal subpart.
TEST(Utf8, ReplacesMaximalSubparts) {
  EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
}

TEST(Utf8, EscapesForTheStore) {
  EXPECT_EQ(escape_invalid_utf8("a\xFFz\n\u20ac"), "a\\xFFz\n\u20ac");
  EXPECT_EQ(escape_invalid_utf8(std::string("\0x", 2)), "\\x00x");
}

TEST(Utf8, PrintsWhatHides) {
  EXPECT_EQ(printable("a\n\t\r\x1b[2J"), "a\\n\\t\\r\\u{001B}[2J");
  EXPECT_EQ(printable("\u202e\u200b\ufeff\u061c"), "\\u{202E}\\u{200B}\\u{FEFF}\\u{061C}");
  EXPECT_EQ(printable("\U000E0041\xFF"), "\\u{0E0041}\\xFF");
  EXPECT_EQ(printable("\u20ac\u20ac\u20ac", 7), "\u20ac\u20ac\u2026");
}

TEST(Utf8, WidthInColumns) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("e\u0301"), 1u);
  EXPECT_EQ(display_width("\u65e5\u672c"), 4u);
  EXPECT_EQ(display_width("\U0001F600"), 2u);
}

TEST(Utf8, CodePoints) { EXPECT_THAT(code_points("a\u20ac\xFF"), ElementsAre(U'a', U'\u20ac', U'\uFFFD')); }

TEST(Utf8, EveryCodePointRoundTrips) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    const std::string text = to_utf8(c);
    ASSERT_FALSE(invalid_utf8_offset(text)) << std::hex << static_cast<unsigned>(c);
    ASSERT_EQ(code_points(text), std::vector<char32_t>{c});
  }
}

RC_GTEST_PROP(Utf8, AnythingBecomesWellFormed, (const std::vector<unsigned char>& bytes)) {
  const std::string text(bytes.begin(), bytes.end());
  RC_ASSERT(!invalid_utf8_offset(replace_invalid_utf8(text)));
  RC_ASSERT(!invalid_utf8_offset(escape_invalid_utf8(text)));
  RC_ASSERT(!invalid_utf8_offset(printable(text, 12)));
  if (!invalid_utf8_offset(text)) RC_ASSERT(replace_invalid_utf8(text) == text);
}

}  // namespace
}  // namespace diopter::base
