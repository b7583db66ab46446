// Which tokens temperature, top-k and top-p keep, against transformers; which are drawn, against their probabilities.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/canonical_json.hpp"
#include "base/files.hpp"
#include "core/model/expected.hpp"
#include "engine/token_choice.hpp"
#include "peers/python_peer.hpp"

namespace diopter::engine {
namespace {

TEST(TokenChoice, KeepsWhatTransformersKeeps) {
  const std::filesystem::path oracle = peers::oracle("choice");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("choice");
  const auto expected = model::testing::read_tensors(oracle / "expected.safetensors");
  double worst = 0;
  Index cells = 0, left_out = 0, ties = 0;
  for (const base::Json& rule : base::Json::parse(base::read_file(oracle / "index.json"))) {
    const std::string name = rule.at("name");
    const at::Tensor theirs = expected.at(name + ".kept");
    const at::Tensor ours =
        kept_logits(expected.at(name + ".logits"), {.temperature = rule.at("temperature").get<double>(),
                                                    .top_p = rule.at("top_p").get<double>(),
                                                    .top_k = rule.at("top_k").get<Index>()});
    // The same logits are kept. Which of equal ones at top-p's border is left to an unstable sort there.
    const at::Tensor kept = std::get<0>(at::sort(ours, -1)), kept_there = std::get<0>(at::sort(theirs, -1));
    EXPECT_TRUE(at::equal(kept.isinf(), kept_there.isinf())) << name;
    worst = std::max(worst, (at::softmax(kept, -1) - at::softmax(kept_there, -1)).abs().max().item<double>());
    const at::Tensor other = ours.isinf() != theirs.isinf();
    const at::Tensor border = at::where(theirs.isinf(), std::numeric_limits<double>::infinity(), theirs).amin(-1, true);
    const at::Tensor scaled = expected.at(name + ".logits") / rule.at("temperature").get<double>();
    EXPECT_TRUE(at::equal(scaled.index({other}), border.expand_as(scaled).index({other}))) << name;
    ties += other.sum().item<Index>();
    cells += theirs.numel();
    left_out += theirs.isinf().sum().item<Index>();
  }
  fmt::print("{} logits, {} left out, {} of equal ones at a border otherwise; probabilities differ by {:.2g} at most\n",
             cells, left_out, ties, worst);
  EXPECT_LE(worst, 1e-7);
  EXPECT_GT(left_out, cells / 4);
}

// Critical value of chi-square with n degrees of freedom at 1e-4 (Wilson and Hilferty).
double critical(double n) { return n * std::pow(1 - 2 / (9 * n) + 3.719 * std::sqrt(2 / (9 * n)), 3); }

TEST(TokenChoice, DrawsAsOftenAsTheProbabilitiesSay) {
  const at::Tensor logits = at::randn({1, 23}, at::detail::createCPUGenerator(4), at::kFloat) * 1.5;
  for (const ChoiceRule& rule : {ChoiceRule{.temperature = 1}, ChoiceRule{.temperature = 0.8, .top_k = 9},
                                 ChoiceRule{.temperature = 1.4, .top_p = 0.7}}) {
    const at::Tensor p = at::softmax(kept_logits(logits, rule).to(at::kDouble), -1)[0];
    std::vector<double> counts(23, 0);
    constexpr int kSeeds = 40000;
    const std::vector<Index> prompt = {1, 2, 3};
    for (int seed = 0; seed < kSeeds; ++seed) {  // a first token for every seed, as samples of one prompt are drawn
      SampleRng rng(seed, prompt);
      SampleRng* generator = &rng;
      ++counts[static_cast<std::size_t>(chosen_tokens(logits, rule, {&generator, 1})[0])];
    }
    double chi2 = 0, freedom = -1;
    for (Index token = 0; token < 23; ++token) {
      const double expected = kSeeds * p[token].item<double>(), count = counts[static_cast<std::size_t>(token)];
      if (expected == 0) {
        EXPECT_EQ(count, 0) << "token " << token << " was left out and drawn";
        continue;
      }
      chi2 += (count - expected) * (count - expected) / expected;
      ++freedom;
    }
    fmt::print("chi-square {:.1f} with {} degrees of freedom, critical at 1e-4: {:.1f}\n", chi2, freedom,
               critical(freedom));
    EXPECT_LE(chi2, critical(freedom));
  }
}

TEST(TokenChoice, BordersOfTheUnitInterval) {
  const double none = -std::numeric_limits<double>::infinity();
  const at::Tensor row = at::tensor({none, 0.0, none, 0.0, none}, at::kFloat);
  EXPECT_EQ(token_at(row, 0), 1);
  EXPECT_EQ(token_at(row, 0.499999), 1);
  EXPECT_EQ(token_at(row, 0.5), 3);
  EXPECT_EQ(token_at(row, std::nextafter(1.0, 0.0)), 3);
  EXPECT_EQ(token_at(at::full({3}, none), 0.3), kUnset);
  EXPECT_EQ(token_at(at::tensor({0.0, std::nan("")}), 0.3), kUnset);
}

TEST(TokenChoice, OfEqualLogitsAtTheBorderTheHigherIdsStay) {
  const at::Tensor kept = kept_logits(at::zeros({1, 100}), {.temperature = 1, .top_p = 0.25});
  EXPECT_TRUE(kept[0].narrow(0, 0, 75).isinf().all().item<bool>());
  EXPECT_FALSE(kept[0].narrow(0, 75, 25).isinf().any().item<bool>());
  EXPECT_FALSE(kept_logits(at::zeros({1, 100}), {.temperature = 1, .top_k = 3}).isinf().any().item<bool>());
}

TEST(TokenChoice, GreedyTakesTheFirstOfTheLargest) {
  const at::Tensor logits = at::tensor({1.0, 7.0, 7.0, 3.0, 2.0, 1.0, 0.0, std::nan(""), 1.0}, at::kFloat).view({3, 3});
  EXPECT_EQ(chosen_tokens(logits, {}, {}), (std::vector<Index>{1, 0, kUnset}));
}

}  // namespace
}  // namespace diopter::engine
