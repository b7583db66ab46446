#include "base/glob.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "refusal.hpp"

namespace diopter::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Glob, BracesExpandInOrder) {
  EXPECT_THAT(expand_braces("plain"), ElementsAre("plain"));
  EXPECT_THAT(expand_braces("b.{0..2}.{q,k}"), ElementsAre("b.0.q", "b.0.k", "b.1.q", "b.1.k", "b.2.q", "b.2.k"));
  EXPECT_THAT(expand_braces("{7..7}"), ElementsAre("7"));
  EXPECT_THAT(expand_braces("{18446744073709551614..18446744073709551615}"),
              ElementsAre("18446744073709551614", "18446744073709551615"));
  EXPECT_EQ(expand_braces("{1..100}{1..100}").size(), 10'000u);
}

TEST(Glob, MalformedBracesAreNamed) {
  const auto why = [](const char* pattern) { return refusal(Exit::Usage, [&] { expand_braces(pattern); }); };
  EXPECT_THAT(why("a{b"), HasSubstr("'a{b' is not a pattern: '{' without '}'"));
  EXPECT_THAT(why("a}b"), HasSubstr("'}' without '{'"));
  EXPECT_THAT(why("{a,{b}"), HasSubstr("braces inside braces"));
  EXPECT_THAT(why("{a,}"), HasSubstr("a choice is empty"));
  EXPECT_THAT(why("{}"), HasSubstr("a choice is empty"));
  EXPECT_THAT(why("{a..b}"), HasSubstr("two whole numbers"));
  EXPECT_THAT(why("{-1..2}"), HasSubstr("two whole numbers"));
  EXPECT_THAT(why("{0..99999999999999999999}"), HasSubstr("two whole numbers"));
  EXPECT_THAT(why("{3..1}"), HasSubstr("empty or too long"));
  EXPECT_THAT(why("{0..18446744073709551615}"), HasSubstr("empty or too long"));
  EXPECT_THAT(why("{0..9999}{0..1}"), HasSubstr("more than 10,000 names"));
}

TEST(Glob, StarStaysInItsSegment) {
  EXPECT_TRUE(matches_glob("blocks.3.attn.hook_z", "blocks.*.attn.hook_*"));
  EXPECT_FALSE(matches_glob("blocks.3.attn.hook_z", "blocks.*"));
  EXPECT_FALSE(matches_glob("blocks.3.attn.hook_z", "*"));
  EXPECT_TRUE(matches_glob("hook_embed", "*"));
  EXPECT_TRUE(matches_glob("", "*"));
  EXPECT_TRUE(matches_glob("abcbc", "a*bc"));
  EXPECT_TRUE(matches_glob("a.b", "a*.*b"));
  EXPECT_FALSE(matches_glob("a.b.c", "a*c"));
  EXPECT_FALSE(matches_glob("abc", "abcd"));
  EXPECT_FALSE(matches_glob("abcd", "abc"));
}

bool matches_slowly(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    return matches_slowly(name, pattern.substr(1)) ||
           (!name.empty() && name[0] != '.' && matches_slowly(name.substr(1), pattern));
  }
  return !name.empty() && name[0] == pattern[0] && matches_slowly(name.substr(1), pattern.substr(1));
}

RC_GTEST_PROP(Glob, AgreesWithTheDefinition, ()) {
  const auto text = [](const std::string& letters) {
    return *rc::gen::resize(12, rc::gen::container<std::string>(rc::gen::elementOf(letters)));
  };
  const std::string name = text("ab."), pattern = text("ab.**");
  RC_ASSERT(matches_glob(name, pattern) == matches_slowly(name, pattern));
}

}  // namespace
}  // namespace diopter::base
