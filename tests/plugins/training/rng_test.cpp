#include "rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace training {
namespace {

// Made by an independent implementation in Python of the definition in rng.hpp.
TEST(Rng, IsXoshiroSeededBySplitmix) {
  Rng rng(1, 0);
  EXPECT_EQ(rng.next(), 17154914556750032435U);
  EXPECT_EQ(rng.next(), 15481925071032317162U);
  Rng other(7, 4294967296U);
  EXPECT_EQ(other.next(), 14116373627773950543U);
  EXPECT_EQ(other.next(), 9221840664694602071U);
}

TEST(Rng, StreamsOfOneSeedDiffer) {
  EXPECT_NE(Rng(1, 0).next(), Rng(1, 1).next());
  EXPECT_NE(Rng(1, 0).next(), Rng(2, 0).next());
  EXPECT_NE(Rng(1, 1).next(), Rng(2, 0).next());
}

TEST(Rng, BelowIsUniform) {
  Rng rng(3, 3);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts.at(static_cast<std::size_t>(rng.below(7)));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);  // four standard deviations: 370
}

TEST(Rng, WeightedFollowsTheWeights) {
  Rng rng(4, 4);
  const std::array<std::int64_t, 4> weights{6, 0, 3, 1};
  std::array<int, 4> counts{};
  for (int i = 0; i < 20'000; ++i) ++counts.at(rng.weighted(weights));
  EXPECT_NEAR(counts[0], 12'000, 280);
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[2], 6'000, 260);
  EXPECT_NEAR(counts[3], 2'000, 170);
}

TEST(Rng, DistinctNumbersAreDistinctAndInRange) {
  Rng rng(5, 5);
  for (int i = 0; i < 1000; ++i) {
    std::vector<std::int64_t> numbers = rng.distinct(10, 4);
    ASSERT_EQ(numbers.size(), 4U);
    std::sort(numbers.begin(), numbers.end());
    EXPECT_EQ(std::adjacent_find(numbers.begin(), numbers.end()), numbers.end());
    EXPECT_GE(numbers.front(), 0);
    EXPECT_LT(numbers.back(), 10);
  }
}

}  // namespace
}  // namespace training
