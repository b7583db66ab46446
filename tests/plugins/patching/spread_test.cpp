// Intervals and results per prompt of the kind `patching`.
#include "spread.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "patching.hpp"
#include "plugins/patching/kind_bench.hpp"

namespace diopter::patching::testing {
namespace {

using engine::testing::difference;
using engine::testing::random_pairs;

Values patching_params(Values changed = {}) {
  Values values = {{"site", std::string("resid_pre")},
                   {"over", std::string("layer pos")},
                   {"layers", std::vector<Index>{0, 1, 2}},
                   {"direction", std::string("denoise")},
                   {"replace_by", std::string("donor")},
                   {"metrics", std::vector<Metric>{normalised("logit_diff"), normalised("prob")}},
                   {"intervals", 0.9},
                   {"bootstrap", Index{400}},
                   {"keep_prompts", true}};
  for (auto& [name, value] : changed) values[name] = std::move(value);
  return values;
}

KeptLog patched(const Prompts& pairs, Values changed = {}) {
  Lab lab;
  Bench bench(lab, pairs, patching_params(std::move(changed)));
  const Params given = bench.params();
  return bench.run(Patching(given));
}

const std::vector<Index> kLengths = {5, 4, 7, 5, 6, 7, 4, 5, 7, 6, 5, 4};

TEST(PatchingIntervals, AreTheBootstrapOfWhatIsKeptPerPrompt) {
  const KeptLog log = patched(random_pairs(kLengths, 1));
  // As the bench seeds every stream.
  const Bootstrap bootstrap(12, 400, 0.9, at::detail::createCPUGenerator(17));
  for (const std::string of : {"/logit_diff", "/prob"}) {
    const at::Tensor values = log["per_prompt" + of], base = log["corrupted_per_prompt" + of],
                     donor = log["clean_per_prompt" + of];
    ASSERT_EQ(values.sizes(), at::IntArrayRef({3, 7, 12}));
    EXPECT_LT(difference(values.nanmean(-1), log["value" + of]), 1e-6);
    EXPECT_LT(difference((values - base).nanmean(-1), log["change" + of]), 1e-6);
    EXPECT_LT(difference(base.mean(), log["corrupted_metric" + of]), 1e-6);
    EXPECT_LT(difference(donor.mean(), log["clean_metric" + of]), 1e-6);
    const Interval value = bootstrap.mean(values), change = bootstrap.mean(values - base),
                   effect = bootstrap.normalised(values, base, donor);
    EXPECT_LT(difference(log["value_low" + of], value.low), 1e-5);
    EXPECT_LT(difference(log["value_high" + of], value.high), 1e-5);
    EXPECT_LT(difference(log["change_low" + of], change.low), 1e-5);
    EXPECT_LT(difference(log["change_high" + of], change.high), 1e-5);
    EXPECT_EQ(log["effect_low" + of].sizes(), effect.low.sizes());
    EXPECT_TRUE((log["value_low" + of] <= log["value" + of]).all().item<bool>());
    EXPECT_TRUE((log["value" + of] <= log["value_high" + of]).all().item<bool>());
  }
  EXPECT_TRUE(log.warnings.empty());
}

TEST(PatchingIntervals, AreExactWhereThereIsNothingToVary) {
  const KeptLog log = patched(random_pairs(kLengths, 2));
  // Nothing differs before position 2; at layer 0, all of the donor's stream is the donor's run.
  for (const char* end : {"change_low/logit_diff", "change_high/logit_diff", "effect_low/logit_diff"})
    EXPECT_EQ(log[end].narrow(1, 0, 2).abs().max().item<double>(), 0) << end;
  const KeptLog whole = patched(random_pairs(kLengths, 2), {{"over", std::string("layer")}});
  EXPECT_LT(difference(whole["effect_low/logit_diff"], at::ones({3})), 1e-4);
  EXPECT_LT(difference(whole["effect_high/logit_diff"], at::ones({3})), 1e-4);
}

TEST(PatchingIntervals, AreLeftOutUnlessAskedFor) {
  const KeptLog log = patched(random_pairs(kLengths, 1), {{"intervals", 0.0}, {"keep_prompts", false}});
  for (const char* name : {"value_low", "value_high", "change_low", "effect_high", "per_prompt", "clean_per_prompt"})
    EXPECT_FALSE(log.has(std::string(name) + "/logit_diff")) << name;
  EXPECT_TRUE(log.has("value/logit_diff"));
  const KeptLog zero = patched(random_pairs(kLengths, 1), {{"replace_by", std::string("zero")}});
  EXPECT_TRUE(zero.has("change_low/logit_diff"));
  EXPECT_FALSE(zero.has("effect_low/logit_diff"));  // no donor, no effect
}

TEST(PatchingIntervals, OfFewPromptsAreWarnedAbout) {
  const KeptLog log = patched(random_pairs({5, 4, 7}, 1));
  ASSERT_EQ(log.warnings.size(), 1u);
  EXPECT_EQ(log.warnings[0].second,
            "intervals over 3 prompts are too narrow: a bootstrap needs ten or more that are independent");
}

// A cell that some prompts lack: its change is that of the prompts that have it.
TEST(Patching, ChangeIsOfThePromptsThatHaveTheCell) {
  const KeptLog log = patched(random_pairs(kLengths, 6), {{"intervals", 0.0}});
  const at::Tensor here = log["per_prompt/logit_diff"].select(1, 6), base = log["corrupted_per_prompt/logit_diff"];
  EXPECT_EQ(here[0].isnan().sum().item<Index>(), 9);
  EXPECT_LT(difference(log["change/logit_diff"].select(1, 6), (here - base).nanmean(-1)), 1e-6);
  EXPECT_EQ(log["change/logit_diff"].narrow(1, 0, 6).abs().max().item<double>(), 0);  // nothing happened there
}

}  // namespace
}  // namespace diopter::patching::testing
