// Text from anywhere, made safe and legible; colours; Markdown.
#include <gtest/gtest.h>

#include <cmath>

#include "report/colours.hpp"
#include "report/display.hpp"
#include "report/figure.hpp"
#include "report/markdown.hpp"

namespace {

using namespace diopter::report;

TEST(Display, TokensShowWhatIsInvisible) {
  EXPECT_EQ(shown_token(" John"), "·John");
  EXPECT_EQ(shown_token("  "), "··");
  EXPECT_EQ(shown_token("a b"), "a b");
  EXPECT_EQ(shown_token("\n\t\r"), "⏎⇥\\u{D}");
  EXPECT_EQ(shown_token("\xE2\x80\xAE"
                        "evil"),
            "\\u{202E}evil");
  EXPECT_EQ(shown_token("\xE2\x80\x8B\xEF\xBB\xBF"), "\\u{200B}\\u{FEFF}");
  EXPECT_EQ(shown_token("\xE2\x82"), "\\xE2\\x82");
  EXPECT_EQ(shown_token(std::string("\0", 1)), "\\x00");
  EXPECT_EQ(shown_token("<|endoftext|>", 12), "<|endoftext…");
  EXPECT_EQ(shown_text(" John"), " John");
}

TEST(Display, HtmlAndJsonBlocksCannotBeLeft) {
  EXPECT_EQ(escape_html("<b a='1' b=\"2\">&"), "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;");
  EXPECT_EQ(escape_json_block("</script>&\xE2\x80\xA8\xE2\x80\xA9"), "\\u003c/script\\u003e\\u0026\\u2028\\u2029");
  EXPECT_EQ(json_text("\"\\\n\xF0\x9F\x98\x80\xC3\xA9\xE2"), "\"\\\"\\\\\\n\\ud83d\\ude00\\u00e9\\\\xE2\"");
  EXPECT_EQ(tsv_cell("a\tb\nc\\"), "a\\tb\\nc\\\\");
}

TEST(Display, Numbers) {
  EXPECT_EQ(three_digits(0.91234), "0.912");
  EXPECT_EQ(three_digits(-7.27), "-7.27");
  EXPECT_EQ(three_digits(12), "12");
  EXPECT_EQ(three_digits(std::nan("")), "NaN");
  EXPECT_EQ(three_digits(-INFINITY), "-inf");
  EXPECT_EQ(base64("Man"), "TWFu");
  EXPECT_EQ(base64("Ma"), "TWE=");
  EXPECT_EQ(base64(""), "");
}

TEST(Display, AxesOfTokensCarryTheirIndexOutsideTheIsolate) {
  const Axis axis{"pos", 2, {"<|endoftext|>", " John"}, {1, 2}, {}};
  EXPECT_EQ(axis.shown(1), "\u2068·John\u2069_1");
  EXPECT_EQ(axis.exact(1), " John");
  const Axis dose{"coefficient", 2, {}, {}, {-8, 0.25}};
  EXPECT_EQ(dose.shown(0), "-8");
  EXPECT_EQ(dose.exact(1), "0.25");
}

TEST(Colours, PositiveBlueNegativeRedCentreWhite) {
  const double zero = 0;
  const Limits limits = colour_limits({-0.5, 2, NAN, INFINITY}, &zero);
  EXPECT_EQ(limits.low, -2);
  EXPECT_EQ(limits.high, 2);
  EXPECT_EQ(css(colour_of(0, limits)), "#ffffff");
  EXPECT_EQ(css(colour_of(2, limits)), "#053061");
  EXPECT_EQ(css(colour_of(-2, limits)), "#67001f");
  EXPECT_EQ(css(colour_of(99, limits)), "#053061");
}

TEST(Colours, OneSidedMapsStartAtZero) {
  const Limits limits = colour_limits({0.5, 4}, nullptr);
  EXPECT_EQ(limits.scale, Scale::Sequential);
  EXPECT_EQ(limits.low, 0);
  EXPECT_EQ(limits.high, 4);
  EXPECT_EQ(colour_limits({0, 0}, nullptr).high, 1);
  EXPECT_EQ(colour_limits({}, nullptr).high, 1);
  const double centre = 0.5;
  EXPECT_EQ(colour_limits({0.5}, &centre).low, -0.5);
}

TEST(Markdown, KnowsAFewFormsAndNoHtml) {
  EXPECT_EQ(markdown_html("# A\n\nb **c** *d* `<e>`\nf\n\n- x\n- y\n"),
            "<h3>A</h3>\n<p>b <strong>c</strong> <em>d</em> <code>&lt;e&gt;</code> "
            "f</p>\n<ul>\n<li>x</li>\n<li>y</li>\n</ul>\n");
  EXPECT_EQ(markdown_html("<script>1</script> 2 * 3 * 4"), "<p>&lt;script&gt;1&lt;/script&gt; 2 * 3 * 4</p>\n");
  EXPECT_EQ(markdown_html("```\n<a>\n"), "<pre><code>&lt;a&gt;\n</code></pre>\n");
  EXPECT_EQ(markdown_html("| a | b |\n|---|---|\n| 1 | 2 |"),
            "<table class=\"data-table\">\n<tr><td>a</td><td>b</td></tr>\n<tr><td>1</td><td>2</td></tr>\n</table>\n");
  EXPECT_EQ(markdown_html("[x](javascript:1) **"), "<p>[x](javascript:1) **</p>\n");
}

}  // namespace
