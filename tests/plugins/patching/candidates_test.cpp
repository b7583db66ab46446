#include "candidates.hpp"

#include <gtest/gtest.h>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <set>

namespace diopter::patching {
namespace {

at::Generator seeded(std::uint64_t seed) { return at::detail::createCPUGenerator(seed); }
at::Tensor doubles(const std::vector<double>& values) { return at::tensor(at::ArrayRef<double>(values), at::kDouble); }

TEST(Candidates, AreTheLargestFirstAndThenOthersByChance) {
  const at::Tensor attribution = doubles({0.1, -0.9, 0.3, 0.3, 0, -0.2}).view({2, 3});
  const auto found = choose(attribution, {4, 7}, {.top = 4, .control = 5, .score = Score::Direct}, seeded(1));
  ASSERT_EQ(found.size(), 6u);  // all there are
  const std::vector<std::pair<Index, Index>> expected = {{4, 1}, {4, 2}, {7, 0}, {7, 2}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(std::pair(found[i].layer, found[i].neuron), expected[i]);
    EXPECT_FALSE(found[i].control);
  }
  EXPECT_EQ(found[0].attribution, -0.9);
  std::set<std::pair<Index, Index>> rest = {{found[4].layer, found[4].neuron}, {found[5].layer, found[5].neuron}};
  EXPECT_EQ(rest, (std::set<std::pair<Index, Index>>{{4, 0}, {7, 1}}));
  EXPECT_TRUE(found[4].control && found[5].control);
}

TEST(Candidates, DrawnByChanceAreEvenAndSeeded) {
  const at::Tensor attribution = at::randn({2, 50}, seeded(2), at::kDouble);
  std::vector<int> times(100, 0);
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    std::set<Index> seen;
    for (const Candidate& it :
         choose(attribution, {0, 1}, {.top = 5, .control = 5, .score = Score::Random}, seeded(seed))) {
      const Index place = it.layer * 50 + it.neuron;
      EXPECT_TRUE(seen.insert(place).second);
      ++times[static_cast<std::size_t>(place)];
      EXPECT_EQ(it.attribution, attribution[it.layer][it.neuron].item<double>());
    }
    EXPECT_EQ(seen.size(), 10u);
  }
  // 100 of 1,000 each: five standard deviations are 47.
  EXPECT_GT(*std::min_element(times.begin(), times.end()), 53);
  EXPECT_LT(*std::max_element(times.begin(), times.end()), 147);
  const auto a = choose(attribution, {0, 1}, {.top = 2, .control = 3, .score = Score::Direct}, seeded(3)),
             b = choose(attribution, {0, 1}, {.top = 2, .control = 3, .score = Score::Direct}, seeded(3));
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].neuron, b[i].neuron);
}

TEST(Agreement, IsOfEachGroupByItself) {
  std::vector<Candidate> candidates;
  for (const double attribution : {1., 2., 3., 4.}) candidates.push_back({0, 0, attribution, false});
  for (const double attribution : {0.1, 0.2, 0.3}) candidates.push_back({0, 0, attribution, true});
  const Agreement found = agreement(candidates, doubles({2, -4, 6, 8, -1, -2, 5}));
  EXPECT_NEAR(found.correlation, 14 / std::sqrt(5 * 84.), 1e-12);
  EXPECT_NEAR(found.rank_correlation, 0.8, 1e-12);  // ranks 2 1 3 4: 1 - 6 * 2 / (4 * 15)
  EXPECT_NEAR(found.control_rank_correlation, 0.5, 1e-12);
  EXPECT_EQ(found.selected_change, 5);
  EXPECT_NEAR(found.control_change, 8 / 3., 1e-12);
  EXPECT_NEAR(found.control_above, 1 / 3., 1e-12);  // the median of 2, 4, 6, 8 is 4 (the lower): 5 reaches it
  EXPECT_EQ(found.selected, 4);
  EXPECT_EQ(found.controls, 3);
  const Agreement alone = agreement({candidates.front()}, doubles({2}));
  EXPECT_TRUE(std::isnan(alone.correlation) && std::isnan(alone.control_change) && std::isnan(alone.control_above));
}

}  // namespace
}  // namespace diopter::patching
