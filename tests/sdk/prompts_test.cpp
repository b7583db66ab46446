#include <gtest/gtest.h>

#include <set>

#include "sdk/letters.hpp"

namespace diopter::test {
namespace {

TEST(Prompts, TokensAreRowsPaddedWithMinusOne) {
  const at::Tensor ids = longs({5, 6, 7, 8, -1, -1}).reshape({2, 3});
  const Prompts rows = Prompts::tokens(ids);
  EXPECT_EQ(rows.size(), 2);
  EXPECT_TRUE(at::equal(rows.inputs(), ids));
  EXPECT_TRUE(at::equal(rows.lengths(), longs({3, 1})));
  EXPECT_EQ(error_text([] {
              Prompts::tokens(longs({5, -1, 7}).reshape({1, 3}));
            }),
            "Prompts::tokens: row 0 is not token ids followed by -1 only; every row needs at least one token");
}

TEST(Prompts, ValuesHaveTheLengthOfTheirNumbers) {
  at::Tensor x = at::zeros({2, 3, 2});
  x[1][2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(at::equal(Prompts::values(x).lengths(), longs({3, 2})));
}

TEST(Prompts, BatchesHaveEqualLengthAndKeepTheRowsIdentity) {
  const Prompts rows = rows_of({"ab", "cde", "fg", "hi"});
  const auto batches = rows.batches();
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_TRUE(at::equal(batches[0].rows(), longs({0, 2, 3})));
  EXPECT_TRUE(at::equal(batches[1].rows(), longs({1})));
  EXPECT_EQ(rows.batches(2).size(), 3u);
  EXPECT_TRUE(at::equal(rows.batches(2)[1].inputs(), longs({7, 8}).reshape({1, 2})));
}

TEST(Prompts, BatchesOfPairsAreUnpaddedOnBothSides) {
  const Prompts rows = pairs({{"ab", "cd"}, {"ab", "cde"}, {"fg", "hi"}});
  EXPECT_EQ(rows.batches().size(), 2u);
  EXPECT_EQ(rows.clean().batches().size(), 1u);
}

TEST(Prompts, ColumnsFollowTheirRows) {
  const Prompts rows = rows_of({"a", "b", "c"})
                           .with("group", std::vector<std::string>{"x", "y", "x"})
                           .with("score", at::tensor({1.0, 2.0, 3.0}));
  const auto groups = rows.groups();
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_TRUE(at::equal(groups[0].numbers("score"), at::tensor({1.0, 3.0})));
  EXPECT_EQ(groups[1].column("group"), std::vector<std::string>{"y"});
  EXPECT_TRUE(rows.has("score"));
  EXPECT_EQ(error_text([&] { rows.column("grup"); }),
            "prompts 'letters' have no column 'grup' (did you mean 'group'?)");
  EXPECT_EQ(error_text([&] { rows.with("group", std::vector<std::string>{"x"}); }),
            "column 'group' has 1 values for 3 prompts");
}

TEST(Prompts, SelectTakesRowsInTheGivenOrder) {
  const Prompts rows = rows_of({"a", "b", "c"}).select(longs({2, 0}));
  EXPECT_TRUE(at::equal(rows.rows(), longs({2, 0})));
  EXPECT_TRUE(at::equal(rows.inputs(), longs({2, 0}).reshape({2, 1})));
  EXPECT_THROW(rows.select(longs({2})), Error);
}

TEST(Prompts, SplitKeepsUnitsTogetherAndIsStable) {
  std::vector<std::string> texts, units;
  for (int i = 0; i < 40; ++i) {
    texts.push_back("a");
    units.push_back("unit" + std::to_string(i / 2));
  }
  const Prompts rows = rows_of(texts).with("unit", units);
  const auto [train, test] = rows.split(0.3);
  EXPECT_EQ(test.size(), 12);  // 6 of 20 units, two rows each
  EXPECT_EQ(train.size() + test.size(), 40);
  const auto train_units = train.column("unit"), test_units = test.column("unit");
  const std::set<std::string> seen(train_units.begin(), train_units.end());
  for (const auto& unit : test_units) EXPECT_EQ(seen.count(unit), 0u) << unit;
  EXPECT_TRUE(at::equal(rows.split(0.3).second.rows(), test.rows()));
  EXPECT_FALSE(at::equal(rows.split(0.3, "unit", "other").second.rows(), test.rows()));
  EXPECT_EQ(error_text([&] { rows.split(1.5); }).substr(0, 60),
            "Prompts::split takes the share of test units, between 0 and ");
}

TEST(Prompts, FindCountsOccurrencesFromBothEnds) {
  const Prompts rows = rows_of({"abab", "baba"});
  EXPECT_TRUE(at::equal(rows.find("a"), longs({0, 1})));
  EXPECT_TRUE(at::equal(rows.find("a", 2), longs({2, 3})));
  EXPECT_TRUE(at::equal(rows.find("b", -1), longs({3, 2})));
  EXPECT_EQ(error_text([&] { rows.find("a", 3); }),
            "row 0 of prompts 'letters' has no 3rd token 'a'; it reads a|b|a|b");
  EXPECT_EQ(error_text([&] { rows.find("ab"); }), "'ab' is 2 tokens ('a', 'b'); give one");
}

TEST(Prompts, AnswersArePaddedChoicesOfTokens) {
  const Prompts rows = rows_of({"a", "b"}).with("answer", longs({1, 2, 3, -1}).reshape({2, 2}));
  EXPECT_TRUE(at::equal(rows.answers(), longs({1, 2, 3, -1}).reshape({2, 2, 1})));
  EXPECT_TRUE(at::equal(rows_of({"a"}).with("answer", std::vector<std::string>{"bc"}).answers(),
                        longs({1, 2}).reshape({1, 1, 2})));
  EXPECT_EQ(error_text([] { rows_of({"a"}).answers(); }), "prompts 'letters' have no answers 'answer'");
}

TEST(Prompts, SidesNeedPairs) {
  const Prompts rows = pairs({{"abc", "abd"}});
  EXPECT_TRUE(at::equal(rows.clean().inputs(), longs({0, 1, 2}).reshape({1, 3})));
  EXPECT_TRUE(at::equal(rows.corrupted().inputs(), longs({0, 1, 3}).reshape({1, 3})));
  EXPECT_EQ(error_text([] { rows_of({"a"}).corrupted(); }),
            "prompts 'letters' have no 'corrupted' text; add it to every row");
}

TEST(Alignment, IsTheSamePositionWhenLengthsAreEqual) {
  const Prompts rows = pairs({{"abc", "abd"}});
  EXPECT_TRUE(at::equal(rows.corrupted().aligned_to(rows.clean()), longs({0, 1, 2}).reshape({1, 3})));
}

TEST(Alignment, RefusalListsBothRows) {
  const Prompts rows = pairs({{"abc", "abd"}, {"abc", "abde"}});
  EXPECT_EQ(error_text([&] { rows.corrupted().aligned_to(rows.clean()); }),
            "row 1 of prompts 'letters' has 4 positions (corrupted) and 3 (clean), so it is unknown which belong "
            "together; use texts "
            "of equal length, align = \"end\" or a column 'map'\n  corrupted  a|b|d|e\n  clean      a|b|c");
}

TEST(Alignment, CountsFromTheEndWhenAsked) {
  const Prompts rows = pairs({{"abc", "abde"}}, PromptsData::Align::End);
  EXPECT_TRUE(at::equal(rows.corrupted().aligned_to(rows.clean()), longs({kUnset, 0, 1, 2}).reshape({1, 4})));
  EXPECT_TRUE(at::equal(rows.clean().aligned_to(rows.corrupted()), longs({1, 2, 3}).reshape({1, 3})));
}

TEST(Alignment, FollowsAMapInBothDirections) {
  const Prompts rows = pairs({{"abc", "abde"}}).with("map", longs({0, 2, -1}).reshape({1, 3}));  // clean 0 -> 0, 1 -> 2
  EXPECT_TRUE(at::equal(rows.clean().aligned_to(rows.corrupted()), longs({0, 2, kUnset}).reshape({1, 3})));
  EXPECT_TRUE(at::equal(rows.corrupted().aligned_to(rows.clean()), longs({0, kUnset, 1, kUnset}).reshape({1, 4})));
}

}  // namespace
}  // namespace diopter::test
