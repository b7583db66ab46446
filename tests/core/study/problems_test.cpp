// How problems are shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "study/problems.hpp"

namespace diopter::study {
namespace {

using ::testing::HasSubstr;

TEST(Problems, SortedByFileLineColumnAndToldOnce) {
  Problems problems;
  problems.add_source("m.toml", "a = 1\nbb = 2\n");
  problems.add_source("p.jsonl", "x\n");
  problems.error({"p.jsonl", 1, 1, 1, 0}, "last");
  problems.error({"m.toml", 2, 6, 1, 0}, "third").help = "do this";
  problems.error({"m.toml", 2, 1, 2, 0}, "second").notes = {"The| Col|os", "The| Ch"};
  problems.error({"m.toml", 1, 5, 1, 0}, "first");
  problems.error({"m.toml", 1, 5, 1, 0}, "first");
  EXPECT_EQ(problems.text(),
            "m.toml:1:5: error: first\n    1 | a = 1\n      |     ^\n"
            "m.toml:2:1: error: second\n    2 | bb = 2\n      | ^~\n      The| Col|os\n      The| Ch\n"
            "m.toml:2:6: error: third\n    2 | bb = 2\n      |      ^\n   help: do this\n"
            "p.jsonl:1:1: error: last\n    1 | x\n      | ^\n4 errors; nothing was run.\n");
}

TEST(Problems, WarningsNameTheirGuardAndBecomeErrorsWhenStrict) {
  Problems problems;
  problems.warning("gap", {},
                   "agreement: clean - corrupted is 0.36, spread over prompts 0.9: the normalised map is noise");
  EXPECT_TRUE(problems.ok());
  EXPECT_EQ(
      problems.text(),
      "warning: agreement: clean - corrupted is 0.36, spread over prompts 0.9: the normalised map is noise   [gap]\n");
  problems.set_strict(true);
  EXPECT_FALSE(problems.ok());
  EXPECT_THAT(problems.text(), HasSubstr("error: agreement"));
  EXPECT_THAT(problems.text(), HasSubstr("1 error; nothing was run.\n"));
}

TEST(Problems, CaretsStandUnderWideAndHiddenCharacters) {
  Problems problems;
  problems.add_source("m", "a = \"日本\u202E\"\tb\n");
  problems.error({"m", 1, 10, 1, 0}, "here");
  EXPECT_EQ(
      problems.text(),
      "m:1:10: error: here\n    1 | a = \"日本\\u{202E}\" b\n      |                   ^\n1 error; nothing was run.\n");
}

TEST(Problems, LongLinesAreCutAroundTheCarets) {
  Problems problems;
  problems.add_source("m", std::string(500, 'x') + "HERE" + std::string(500, 'y'));
  problems.error({"m", 1, 501, 4, 0}, "there");
  EXPECT_EQ(problems.text(), "m:1:501: error: there\n    1 | …" + std::string(40, 'x') + "HERE" + std::string(66, 'y') +
                                 "…\n      | " + std::string(41, ' ') + "^~~~\n1 error; nothing was run.\n");
}

TEST(Problems, AsJson) {
  Problems problems;
  problems.add_source("m", "key = [1,\n2]\n");
  problems.error({"m", 1, 7, 1 << 20, 0}, "no").help = "yes";
  problems.warning("gap", {"gone", 0, 0, 0, 0}, "hm");
  EXPECT_EQ(
      base::canonical_json(problems.json()),
      R"({"errors":1,"ok":false,"problems":[{"column":7,"file":"m","help":"yes","length":3,"line":1,"message":"no","severity":"error","source":"key = [1,"},)"
      R"({"file":"gone","guard":"gap","message":"hm","severity":"warning"}],"schema":"diopter.check/1","warnings":1})");
}

TEST(Problems, ThousandsAreCountedNotShown) {
  Problems problems;
  for (int i = 0; i < 1000; ++i) problems.error({"m", i + 1, 1, 1, 0}, "x");
  EXPECT_THAT(problems.text(), HasSubstr("... and 800 more\n1000 errors; nothing was run.\n"));
}

}  // namespace
}  // namespace diopter::study
