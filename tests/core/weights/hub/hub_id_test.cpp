#include "weights/hub/hub_id.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/refusal.hpp"

namespace diopter::hub {
namespace {

using ::testing::HasSubstr;

TEST(HubId, HasARevision) {
  EXPECT_EQ(parse_hub_id("gpt2").repo, "gpt2");
  EXPECT_EQ(parse_hub_id("gpt2").revision, "main");
  EXPECT_EQ(parse_hub_id("EleutherAI/pythia-70m@step1000").repo, "EleutherAI/pythia-70m");
  EXPECT_EQ(parse_hub_id("EleutherAI/pythia-70m@step1000").revision, "step1000");
  EXPECT_EQ(parse_hub_id("a/b@refs/pr/1").revision, "refs/pr/1");
}

TEST(HubId, RevisionsThatCouldBePathsAreRefused) {
  for (const char* revision :
       {"",     "..",  "../x", "a/../b", "/etc", ".git", "a/.b", "a//b", "a/",     "a.",    "-x",      "a b",
        "a\\b", "a:b", "a\nb", "a~1",    "a^",   "a?",   "a*",   "a[b",  "x.lock", "a@{1}", "\xc3\xa9"}) {
    EXPECT_FALSE(as_hub_id(std::string("gpt2@") + revision)) << revision;
  }
  for (const char* revision : {"main", "v1.0", "step1000", "refs/pr/12", "feature/x", "607a30d"})
    EXPECT_TRUE(as_hub_id(std::string("gpt2@") + revision)) << revision;
}

TEST(HubId, ARefusalSaysTheRule) {
  const auto why = [](const std::string& text) {
    return base::refusal(base::Exit::Usage, [&] { parse_hub_id(text); });
  };
  EXPECT_THAT(why("a/b/c"), HasSubstr("more than one '/'"));
  EXPECT_THAT(why("a--b"), HasSubstr("'--'"));
  EXPECT_THAT(why("../x"), HasSubstr("'..'"));
  EXPECT_THAT(why(""), HasSubstr("empty"));
  EXPECT_THAT(why("a b"), HasSubstr("letters, digits"));
  EXPECT_THAT(why(std::string("a\x1b[31m")), HasSubstr("\\u{001B}[31m"));
}

TEST(HubId, CommitsAreFortyLowerCaseHexDigits) {
  EXPECT_TRUE(is_commit(std::string(40, 'a')));
  EXPECT_TRUE(is_commit("0123456789abcdef0123456789abcdef01234567"));
  for (const std::string& text :
       {std::string(39, 'a'), std::string(41, 'a'), std::string(40, 'A'), std::string(40, 'g')})
    EXPECT_FALSE(is_commit(text)) << text;
}

}  // namespace
}  // namespace diopter::hub
