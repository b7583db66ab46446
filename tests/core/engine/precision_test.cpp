// Models in bfloat16 and float16: the same interventions, in the model's own numbers, with what that costs on record.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/support.hpp"
#include "engine/precision_loss.hpp"
#include "model/precision.hpp"

namespace diopter::engine::testing {
namespace {

using ::testing::HasSubstr;

struct LowLab {
  explicit LowLab(at::ScalarType dtype, SessionOptions options = {.kind = "trial"})
      : model(std::make_shared<model::Transformer>(
            model::in_dtype(model::testing::random_parameters(Lab::named(model::testing::tiny_info()), 1), dtype))),
        session(model, nullptr, monitor, std::move(options)) {}

  Remembering monitor;
  std::shared_ptr<model::Transformer> model;
  Session session;
};

class LowPrecision : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  double rounding() const { return rounding_of(GetParam()); }
};

Sweep stream_patching(const Prompts& pairs) {
  MetricSpec spec = Metric::named("logit_diff").spec();
  spec.normalise = true;
  spec.min_gap = 0.1;
  return {.into = pairs.corrupted(),
          .hooks = "blocks.{layer}.hook_resid_pre",
          .axes = {{"layer"}, {"pos"}},
          .change = Change::replace(pairs.clean()),
          .metrics = {Metric(std::make_shared<const MetricSpec>(spec)), Metric::named("log_prob")}};
}

TEST_P(LowPrecision, CapturesInTheModelsDtypeCloseToFloat) {
  LowLab low(GetParam());
  Lab exact;
  const Prompts rows = random_rows({5, 9, 7});
  const Capture ours = low.session.capture(rows, "blocks.*.hook_resid_post", {}, {}),
                theirs = exact.session.capture(rows, "blocks.*.hook_resid_post", {}, {});
  for (Index layer = 0; layer < 3; ++layer) {
    const std::string name = "blocks." + std::to_string(layer) + ".hook_resid_post";
    EXPECT_EQ(ours[name].scalar_type(), GetParam());
    const double gap = difference(ours[name], theirs[name]);
    EXPECT_LT(gap, 4 * rounding() * theirs[name].nan_to_num(0).abs().max().item<double>()) << name;
    EXPECT_GT(gap, 0) << name;
  }
}

TEST_P(LowPrecision, SweepsAreExactInTheirOwnNumbers) {
  LowLab low(GetParam(), {.kind = "trial", .verify = 1000});
  const Prompts pairs = random_pairs({4, 7, 6}, 2);
  const Cells cells = low.session.sweep(stream_patching(pairs));
  EXPECT_GT(cells.counts().verified, 0);                         // against plain forwards, row by row
  EXPECT_EQ(difference(cells.values()[0][0], cells.base()), 0);  // equal tokens there: nothing may change
  const Cells whole = low.session.sweep({.into = pairs.corrupted(),
                                         .hooks = "blocks.{layer}.hook_resid_pre",
                                         .axes = {{"layer"}},
                                         .change = Change::replace(pairs.clean()),
                                         .metrics = {Metric::named("logit_diff")}});
  EXPECT_EQ(difference(whole.values(), whole.donor().expand_as(whole.values())), 0);  // the donor's own stream
}

TEST_P(LowPrecision, MapsAreCloseToThoseOfFloat) {
  LowLab low(GetParam());
  Lab exact;
  const Sweep sweep = stream_patching(random_pairs({4, 7, 6}, 1, 8));
  const Cells ours = low.session.sweep(sweep), theirs = exact.session.sweep(sweep);
  for (Index m = 0; m < 2; ++m) EXPECT_LT(difference(ours.values(m), theirs.values(m)), 0.2) << m;
  ASSERT_TRUE(theirs.normalised(0).defined()) << exact.monitor.warnings.back().second;
  ASSERT_TRUE(ours.normalised(0).defined()) << low.monitor.warnings.back().second;
  const double gap = (theirs.donor().mean() - theirs.base().mean()).abs().item<double>();
  EXPECT_LT(difference(ours.normalised(0), theirs.normalised(0)),
            3 * difference(ours.values(0), theirs.values(0)) / gap);
}

TEST_P(LowPrecision, WhatItCostsIsRecordedOnce) {
  LowLab low(GetParam());
  const Prompts rows = random_rows({5, 9});
  low.session.measure(rows, {Metric::named("logit_diff")}, {});
  low.session.capture(rows, "blocks.0.hook_resid_pre", {}, {});
  std::vector<std::string> said;
  for (const auto& [kind, sentence] : low.monitor.events) {
    if (kind == "precision") said.push_back(sentence);
  }
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], HasSubstr("against float32 on 14 positions of these prompts: logits differ by at most 0.0"));
}

TEST_P(LowPrecision, TheLossIsMeasuredOnRealPositionsOnly) {
  LowLab low(GetParam());
  const Prompts rows = random_rows({5, 9});
  const RowBatch batch = row_batches(rows, low.model->info()).front();
  const PrecisionLoss loss = precision_loss(*low.model, batch);
  double largest = 0, largest_logit = 0;
  for (Index row = 0; row < 2; ++row) {
    const at::Tensor ids = rows.inputs().narrow(0, row, 1).narrow(1, 0, row == 0 ? 5 : 9);
    const at::Tensor exact = model::Transformer(model::in_dtype(low.model->parameters(), at::kFloat)).forward(ids);
    largest = std::max(largest, difference(low.model->forward(ids), exact));
    largest_logit = std::max(largest_logit, exact.abs().max().item<double>());
  }
  EXPECT_EQ(loss.positions, 14);
  EXPECT_NEAR(loss.largest_logit, largest_logit, 1e-5);
  EXPECT_NEAR(loss.largest_difference, largest, 0.5 * largest);  // padding changes the order of sums
  EXPECT_LT(loss.largest_difference, 4 * rounding() * largest_logit);
  EXPECT_GT(loss.largest_kl, 0);
  EXPECT_LT(loss.largest_kl, 1e-2);
  EXPECT_GE(loss.same_top, 12);
}

TEST(Precision, NothingIsMeasuredInFloat) {
  Lab lab;
  lab.session.measure(random_rows({5, 9}), {Metric::named("logit_diff")}, {});
  for (const auto& [kind, sentence] : lab.monitor.events) EXPECT_NE(kind, "precision");
}

INSTANTIATE_TEST_SUITE_P(Dtypes, LowPrecision, ::testing::Values(at::kBFloat16, at::kHalf));

}  // namespace
}  // namespace diopter::engine::testing
