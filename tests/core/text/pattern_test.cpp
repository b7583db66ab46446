// Oniguruma's syntax in PCRE2's, and what is refused of it.
#include "text/pattern.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diopter::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> matches(const std::string& pattern, const std::string& text) {
  const Regex regex(pcre2_pattern(pattern), Regex::Source::File);
  Regex::Workspace workspace;
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto match = regex.find(text, at, workspace);
    if (!match) break;
    out.push_back(text.substr(match->begin, match->end - match->begin));
    at = match->end;
  }
  return out;
}

std::string pattern_error(const std::string& pattern) {
  try {
    return "accepted as " + pcre2_pattern(pattern);
  } catch (const PatternError& error) {
    return error.message;
  }
}

TEST(Pattern, MatchesAsOniguruma) {
  EXPECT_THAT(matches(R"(\p{N}{1,3})", "12345 6"), ElementsAre("123", "45", "6"));
  EXPECT_THAT(matches(R"((?i:'s|'LL)| ?\p{L}+)", "He'S we'll"), ElementsAre("He", "'S", " we", "'ll"));
  EXPECT_THAT(matches(R"(\s+(?!\S)|\s+)", "a  b "), ElementsAre(" ", " ", " "));
  EXPECT_THAT(matches(R"([^(\s|[.,!?])]+)", "a(b.c d"), ElementsAre("a", "b", "c", "d"));  // a set in a set
  EXPECT_THAT(matches("[\xE4\xB8\x80-\xE9\xBE\xA5]+",
                      "a\xE4\xB8\xAD\xE6\x96\x87"
                      "b"),
              ElementsAre("\xE4\xB8\xAD\xE6\x96\x87"));
  EXPECT_THAT(matches(R"([!-/:-@\[-`{-~\-x]+)", "a!-x[b"), ElementsAre("!-x["));
  EXPECT_THAT(matches(R"(\u00e9|\x41|\x{1F600}|\.)",
                      "\u00e9"
                      "A.b\U0001F600"),
              ElementsAre("\u00e9", "A", ".", "\U0001F600"));
  EXPECT_THAT(matches(".{,2}b", "aab\nb"), ElementsAre("aab", "b"));
  EXPECT_THAT(matches(R"(\P{L}+|\S)", "a12b"), ElementsAre("a", "12", "b"));
}

TEST(Pattern, KnowsLettersNewerThanTheLibrary) {
  EXPECT_THAT(matches(R"([\p{Lu}]+)", "\u1c89x"), ElementsAre("\u1c89"));
  EXPECT_THAT(matches(R"(\s)", "\u180e\u3000"), ElementsAre("\u3000"));  // U+180E is no white space
}

TEST(Pattern, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(pattern_error(R"(a\b)"), "at byte 1: the escape \\b is not supported");
  EXPECT_EQ(pattern_error(R"(\p{Han}+)"),
            "at byte 0: the property 'Han' is not supported; known: L Lu Ll Lt Lm Lo M N Nd Nl No P S");
  EXPECT_THAT(pattern_error("^a"), HasSubstr("anchors are not supported"));
  EXPECT_THAT(pattern_error("[a&&b]"), HasSubstr("intersections"));
  EXPECT_THAT(pattern_error("[[:alpha:]]"), HasSubstr("POSIX classes"));
  EXPECT_THAT(pattern_error("[a[^b]]"), HasSubstr("a complement inside a set"));
  EXPECT_THAT(pattern_error("(?<name>a)"), HasSubstr("this kind of group"));
  EXPECT_THAT(pattern_error("a(?i)b"), HasSubstr("this kind of group"));
  EXPECT_THAT(pattern_error("[a"), HasSubstr("the set is not closed"));
  EXPECT_THAT(pattern_error("a\\"), HasSubstr("ends with a backslash"));
  EXPECT_THAT(pattern_error("a{b}"), HasSubstr("must begin an interval"));
  EXPECT_THAT(pattern_error("[z-a]"), HasSubstr("the range is empty"));
  EXPECT_THAT(pattern_error(R"(\x{D800})"), HasSubstr("not a character"));
}

}  // namespace
}  // namespace diopter::text
