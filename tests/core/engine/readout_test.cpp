#include "engine/readout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/engine/support.hpp"

namespace diopter::engine::testing {
namespace {

using ::testing::HasSubstr;

constexpr Index kPrompts = 3, kPositions = 5;
constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Streams of prompts of which the second ends early.
at::Tensor padded_streams(const ModelInfo& info, Index streams, at::ScalarType dtype) {
  at::Tensor resid = at::randn({streams, kPrompts, kPositions, info.d_model}, at::detail::createCPUGenerator(5),
                               at::TensorOptions(at::kFloat));
  resid.select(1, 1).narrow(1, 3, 2).fill_(std::nan(""));
  return resid.to(dtype);
}

// What each field is by definition, from whole logits in double.
struct Expected {
  at::Tensor log_p, logits, entropy, kl;
};

Expected by_definition(const model::Transformer& model, const at::Tensor& resid, const at::Tensor& from) {
  const auto logits = [&](const at::Tensor& x) { return model.unembed(model.final_norm(x)).to(at::kDouble); };
  const at::Tensor own = logits(resid), log_p = own.log_softmax(-1), log_from = logits(from).log_softmax(-1);
  return {log_p, own, -(log_p.exp() * log_p).sum(-1), (log_from.exp() * (log_from - log_p)).sum(-1)};
}

// 0 where both are NaN.
double apart(const at::Tensor& got, const at::Tensor& expected) {
  EXPECT_TRUE(got.isnan().equal(expected.isnan()));
  return (got - expected).nan_to_num(0, kInfinite, kInfinite).abs().max().item<double>();
}

void expect_by_definition(const Lab& lab, at::ScalarType dtype, double tolerance) {
  const Index vocabulary = lab.info().d_vocab;
  const at::Tensor resid = padded_streams(lab.info(), 4, dtype);
  const at::Tensor from = resid[2] * 1.5;
  const Expected expected = by_definition(*lab.model, resid, from);
  for (const Index k : {Index{0}, Index{1}, Index{4}, vocabulary}) {
    const Readout read = read_out(*lab.model, resid, {.top_k = k, .kl_from = from, .entropy = true});
    EXPECT_LT(apart(read.kl, expected.kl), tolerance);
    EXPECT_LT(apart(read.entropy, expected.entropy), tolerance);
    EXPECT_FALSE(read.target_logit.defined());
    ASSERT_EQ(read.token.defined(), k > 0);
    if (k == 0) continue;
    const at::Tensor absent = expected.entropy.isnan().unsqueeze(-1).expand(read.token.sizes());
    EXPECT_TRUE((read.token == -1).equal(absent));
    EXPECT_LT(apart(read.log_prob, expected.log_p.gather(-1, read.token.clamp_min(0))), tolerance);
    EXPECT_LT(apart(read.log_prob, std::get<0>(expected.log_p.topk(k)).masked_fill(absent, std::nan(""))), tolerance);
  }
  const at::Tensor targets = ints({3, -1, vocabulary - 1, 0, 7, 7}).view({kPrompts, 2});
  const Readout read = read_out(*lab.model, resid[0], {.targets = targets});
  const at::Tensor spread = targets.unsqueeze(1).expand({kPrompts, kPositions, 2});
  const at::Tensor absent = (spread < 0) | expected.entropy[0].isnan().unsqueeze(-1);
  const auto at_targets = [&](const at::Tensor& of) {
    return of[0].gather(-1, spread.clamp_min(0)).masked_fill(absent, std::nan(""));
  };
  EXPECT_LT(apart(read.target_logit, at_targets(expected.logits)), tolerance);
  EXPECT_LT(apart(read.target_log_prob, at_targets(expected.log_p)), tolerance);
  const at::Tensor above =
      (expected.logits[0].unsqueeze(-2) > expected.logits[0].gather(-1, spread.clamp_min(0)).unsqueeze(-1)).sum(-1);
  EXPECT_EQ(apart(read.target_rank, above.to(at::kDouble).masked_fill(absent, std::nan(""))), 0);
}

TEST(ReadoutByDefinition, InEveryPrecisionOfTheModel) {
  for (const auto& [dtype, tolerance] :
       {std::pair{at::kFloat, 1e-9}, {at::kDouble, 1e-12}, {at::kBFloat16, 1e-9}, {at::kHalf, 1e-9}}) {
    SCOPED_TRACE(c10::toString(dtype));
    Lab lab;
    lab.model =
        std::make_shared<model::Transformer>(model::testing::random_parameters(model::testing::tiny_info(), 1, dtype));
    expect_by_definition(lab, dtype, tolerance);
  }
}

TEST(ReadoutByDefinition, OfSeveralChunksOnSeveralThreads) {
  ModelInfo info = model::testing::tiny_info();
  info.d_vocab = 450'000;  // so that the logits of all rows are several chunks
  Lab lab({.kind = "trial"}, 1, info);
  for (const int threads : {1, 3}) {
    SCOPED_TRACE(threads);
    at::set_num_threads(threads);
    const at::Tensor resid = padded_streams(lab.info(), 3, at::kFloat), from = resid[0] * 0.5;
    const Expected expected = by_definition(*lab.model, resid, from);
    const Readout read = read_out(*lab.model, resid, {.top_k = 1, .kl_from = from, .entropy = true});
    // The product of other numbers of rows may round otherwise, in float32.
    EXPECT_LT(apart(read.kl, expected.kl), 1e-5);
    EXPECT_LT(apart(read.entropy, expected.entropy), 1e-5);
    EXPECT_LT(
        apart(read.log_prob.squeeze(-1), expected.log_p.amax(-1).masked_fill(expected.entropy.isnan(), std::nan(""))),
        1e-5);
  }
  at::set_num_threads(1);
}

TEST(ReadoutByDefinition, AStreamComparedWithItselfHasNoDivergence) {
  Lab lab;
  const at::Tensor resid = padded_streams(lab.info(), 3, at::kFloat);
  const Readout read = read_out(*lab.model, resid, {.kl_from = resid[2]});
  EXPECT_EQ(read.kl[2].nan_to_num(0).abs().max().item<double>(), 0);
  EXPECT_GT(read.kl[0][0].min().item<double>(), 0);
}

TEST(ReadoutByDefinition, RowsThatAreInfiniteHaveNoDistribution) {
  Lab lab;
  at::Tensor resid = at::randn({4, lab.info().d_model}, at::detail::createCPUGenerator(3), at::kFloat);
  resid[1] = std::numeric_limits<float>::infinity();
  const Readout read = read_out(*lab.model, resid, {.top_k = 2, .kl_from = resid, .entropy = true});
  EXPECT_TRUE(read.entropy.isnan().equal(ints({0, 1, 0, 0}).to(at::kBool)));
  EXPECT_TRUE(read.kl.isnan().equal(ints({0, 1, 0, 0}).to(at::kBool)));
  EXPECT_TRUE(read.log_prob[1].isnan().all().item<bool>());
}

TEST(ReadoutByDefinition, MistakesAreSentences) {
  Lab lab;
  const at::Tensor resid = padded_streams(lab.info(), 2, at::kFloat);
  const auto read = [&](const at::Tensor& of, const Read& what) {
    return error_of([&] { read_out(*lab.model, of, what); });
  };
  EXPECT_THAT(read(resid.narrow(-1, 0, 3), {}), HasSubstr("read takes a residual stream [..., "));
  EXPECT_THAT(read(resid, {.top_k = 32}), HasSubstr("top_k 32 is outside 0..31"));
  EXPECT_THAT(read(resid, {.kl_from = resid.narrow(2, 0, 2)[0]}),
              HasSubstr("kl_from must have the shape of the residual stream that is read, or of its last dimensions"));
  EXPECT_THAT(read(resid[0], {.targets = ints({1, 2})}), HasSubstr("targets must be [prompt, n]"));
  EXPECT_THAT(read(resid[0], {.targets = ints({1, 2, 31}).unsqueeze(1)}),
              HasSubstr("targets are tokens 0..30 or -1, got 31"));
}

}  // namespace
}  // namespace diopter::engine::testing
