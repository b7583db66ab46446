#include <diopter/statistics.hpp>

#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "sdk/letters.hpp"

namespace diopter::test {
namespace {

at::Generator seeded(std::uint64_t seed) { return at::detail::createCPUGenerator(seed); }
at::Tensor numbers(const std::vector<double>& values) { return at::tensor(at::ArrayRef<double>(values), at::kDouble); }
double number(const at::Tensor& x) { return x.item<double>(); }

TEST(Bootstrap, OfTwoPromptsIsKnownInClosedForm) {
  // The mean of two draws of {1, 3} is 1, 2 or 3 with probabilities 1/4, 1/2, 1/4.
  const at::Tensor values = numbers({1, 3});
  const Interval wide = Bootstrap(2, 2000, 0.9, seeded(1)).mean(values);
  EXPECT_EQ(number(wide.low), 1);
  EXPECT_EQ(number(wide.high), 3);
  const Interval narrow = Bootstrap(2, 2000, 0.4, seeded(1)).mean(values);
  EXPECT_EQ(number(narrow.low), 2);
  EXPECT_EQ(number(narrow.high), 2);
}

TEST(Bootstrap, OfSuccessesIsBinomial) {
  // 7 successes of 20: a resample has Binomial(20, 0.35) of them, whose quantiles at 0.1 and 0.9 are 4 and 10.
  const at::Tensor values = at::cat({at::ones({7}), at::zeros({13})});
  const Interval found = Bootstrap(20, 20000, 0.8, seeded(3)).mean(values);
  EXPECT_NEAR(number(found.low), 4 / 20., 1e-12);
  EXPECT_NEAR(number(found.high), 10 / 20., 1e-12);
}

// scipy 1.17.1, stats.bootstrap(paired=True, method="percentile", n_resamples=400000, confidence_level=0.9); its own
// two seeds differ by 2e-4 of the ratio.
TEST(Bootstrap, EqualsScipy) {
  const at::Tensor values = numbers({2.1, -0.4, 3.3, 0.9, 1.7, 5.2, -1.1, 0.3, 2.8, 4.4, 1.2, 0.6}),
                   base = numbers({-1.0, -2.2, 0.4, -0.3, -1.9, 0.8, -2.5, -0.7, -1.4, 0.1, -0.9, -1.6}),
                   donor = numbers({4.0, 2.3, 6.1, 3.2, 2.8, 7.7, 1.5, 2.2, 5.4, 6.0, 3.1, 2.7});
  const Bootstrap bootstrap(12, 400000, 0.9, seeded(5));
  const Interval mean = bootstrap.mean(values), ratio = bootstrap.normalised(values, base, donor);
  EXPECT_NEAR(number(mean.low), 0.9, 0.01);
  EXPECT_NEAR(number(mean.high), 2.625, 0.01);
  EXPECT_NEAR(number(ratio.low), 0.48606, 1e-3);
  EXPECT_NEAR(number(ratio.high), 0.61235, 1e-3);
  printf("bootstrap: mean %.4f .. %.4f (scipy 0.9 .. 2.625), ratio %.5f .. %.5f (scipy 0.48606 .. 0.61235)\n",
         number(mean.low), number(mean.high), number(ratio.low), number(ratio.high));
}

TEST(Bootstrap, DrawsBaseDonorAndValuesOfAPromptTogether) {
  const at::Tensor base = at::randn({30}, seeded(1), at::kDouble), gap = at::rand({30}, seeded(2), at::kDouble) + 0.5,
                   donor = base + gap;
  const Bootstrap bootstrap(30, 500, 0.95, seeded(3));
  const at::Tensor cells = at::stack({base, donor, base + 0.3 * gap});
  const Interval found = bootstrap.normalised(cells, base, donor);
  EXPECT_LT((found.low - numbers({0, 1, 0.3})).abs().max().item<double>(), 1e-12);
  EXPECT_LT((found.high - numbers({0, 1, 0.3})).abs().max().item<double>(), 1e-12);
}

TEST(Bootstrap, LeavesOutPromptsWithoutANumber) {
  const Bootstrap bootstrap(3, 400, 0.9, seeded(1));
  const at::Tensor cells = numbers({1, kNone, kNone, kNone, kNone, kNone, 5, 5, kNone}).view({3, 3});
  const Interval mean = bootstrap.mean(cells);
  ASSERT_EQ(mean.low.sizes(), at::IntArrayRef({3}));
  EXPECT_EQ(number(mean.low[0]), 1);  // of the resamples that have prompt 0
  EXPECT_EQ(number(mean.high[0]), 1);
  EXPECT_TRUE(std::isnan(number(mean.low[1])) && std::isnan(number(mean.high[1])));
  EXPECT_EQ(number(mean.high[2]), 5);
  const at::Tensor base = numbers({0, 1, 100}), donor = numbers({2, 9, 100});
  const Interval ratio = bootstrap.normalised(cells, base, donor);
  EXPECT_EQ(number(ratio.low[0]), 0.5);  // (1 - 0) / (2 - 0): base and donor of the same prompts
  EXPECT_EQ(number(ratio.high[0]), 0.5);
  EXPECT_EQ(number(ratio.low[2]), 0.5);   // (5 - 1) / (9 - 1) where only prompt 1 is drawn
  EXPECT_EQ(number(ratio.high[2]), 2.5);  // (5 - 0) / (2 - 0) where only prompt 0 is
}

TEST(Bootstrap, KeepsShapesAndDrawsTheSameForEveryCell) {
  const at::Tensor cells = at::randn({2, 3, 4, 25}, seeded(1), at::kDouble);
  const Bootstrap bootstrap(25, 300, 0.95, seeded(2));
  const Interval all = bootstrap.mean(cells);
  ASSERT_EQ(all.low.sizes(), at::IntArrayRef({2, 3, 4}));
  EXPECT_TRUE(at::allclose(bootstrap.mean(cells[1][2][3]).high, all.high[1][2][3], 1e-12, 1e-12));
  EXPECT_EQ(bootstrap.mean(at::empty({0, 25})).low.numel(), 0);
  EXPECT_TRUE(at::equal(Bootstrap(25, 300, 0.95, seeded(2)).mean(cells).low, all.low));
  EXPECT_FALSE(at::equal(Bootstrap(25, 300, 0.95, seeded(9)).mean(cells).low, all.low));
}

// More weights than are kept at once: they are drawn again for each portion of the cells.
TEST(Bootstrap, OfThousandsOfPromptsIsNormalTheory) {
  constexpr Index kPrompts = 6000;
  const at::Tensor cells = at::randn({1500, kPrompts}, seeded(4), at::kDouble);
  const Bootstrap bootstrap(kPrompts, 1000, 0.9, seeded(1));
  const Interval found = bootstrap.mean(cells);
  const at::Tensor mean = cells.mean(-1), half = 1.6449 * cells.std(-1) / std::sqrt(static_cast<double>(kPrompts));
  // Quantiles of 1,000 results scatter by about 4 % of the half width; over 1,500 cells by four times that.
  EXPECT_LT(((found.low - (mean - half)) / half).abs().max().item<double>(), 0.25);
  EXPECT_LT(((found.high - (mean + half)) / half).abs().max().item<double>(), 0.25);
  EXPECT_LT(((found.high - found.low) / (2 * half) - 1).mean().abs().item<double>(), 0.01);
  EXPECT_TRUE(at::allclose(bootstrap.mean(cells[1499]).low, found.low[1499], 1e-12, 1e-12));
}

TEST(Bootstrap, CoversTheTruthAsOftenAsItSays) {
  constexpr int kStudies = 600;
  int covered = 0;
  for (int study = 0; study < kStudies; ++study) {
    const auto seed = static_cast<std::uint64_t>(study);
    const at::Tensor sample = at::randn({50}, seeded(1000 + seed), at::kDouble) + 2;
    const Interval found = Bootstrap(50, 400, 0.9, seeded(seed)).mean(sample);
    covered += number(found.low) <= 2 && 2 <= number(found.high);
  }
  // The percentile interval of 50 normal numbers covers about 0.89; the share of 600 scatters by 0.013.
  const double share = covered / static_cast<double>(kStudies);
  printf("bootstrap: an interval of level 0.9 covers the truth in %.3f of %d studies of 50 prompts\n", share, kStudies);
  EXPECT_GT(share, 0.85);
  EXPECT_LT(share, 0.93);
}

TEST(Bootstrap, MistakesAreSentences) {
  EXPECT_EQ(error_text([] { Bootstrap(0, 10, 0.9, seeded(1)); }),
            "bootstrap: 10 resamples of 0 prompts at level 0.900000; give at least one of each and a level between 0 "
            "and 1");
  EXPECT_NE(error_text([] { Bootstrap(3, 10, 1, seeded(1)); }).find("a level between 0 and 1"), std::string::npos);
  EXPECT_EQ(error_text([] {
              Bootstrap(3, 10, 0.9, seeded(1)).mean(at::zeros({2, 4}));
            }),
            "bootstrap: the values are of 4 prompts, but 3 are drawn; the last dimension is the prompts'");
}

// scipy 1.17.1, stats.pearsonr and stats.spearmanr.
TEST(Correlation, EqualsScipyWithTies) {
  const at::Tensor x = numbers({2.1, -0.4, 3.3, 0.9, 1.7, 5.2, -1.1, 0.3, 2.8, 4.4, 1.2, 0.6}),
                   y = numbers({4.0, 2.3, 6.1, 3.2, 2.8, 7.7, 1.5, 2.2, 5.4, 6.0, 3.1, 2.7}),
                   ties = numbers({1, 2, 2, 3, 3, 3, 7, 0, 0, 2, 5, 4});
  EXPECT_NEAR(correlation(x, y), 0.9645759425166689, 1e-12);
  EXPECT_NEAR(rank_correlation(x, y), 0.9580419580419581, 1e-12);
  EXPECT_NEAR(correlation(x, ties), -0.36073082051057803, 1e-12);
  EXPECT_NEAR(rank_correlation(x, ties), -0.2842281484167734, 1e-12);
}

TEST(Correlation, IsNoNumberWhereThereIsNone) {
  EXPECT_TRUE(std::isnan(correlation(numbers({1}), numbers({2}))));
  EXPECT_TRUE(std::isnan(correlation(numbers({1, 2, 3}), numbers({4, 4, 4}))));
  EXPECT_TRUE(std::isnan(rank_correlation(numbers({1, kNone, 3}), numbers({kNone, 4, 4}))));
  EXPECT_EQ(correlation(numbers({1, 2, kNone, 3}), numbers({3, 5, 9, 7})), 1);
  EXPECT_EQ(error_text([] {
              correlation(numbers({1}), numbers({1, 2}));
            }),
            "a correlation of 1 with 2 numbers; give columns of equal length");
}

}  // namespace
}  // namespace diopter::test
