#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <diopter_host/specs.hpp>

#include "core/engine/by_hand.hpp"
#include "core/engine/support.hpp"

namespace diopter::engine::testing {
namespace {

using ::testing::HasSubstr;

at::Tensor log_probs(const at::Tensor& logits) { return logits.to(at::kDouble).log_softmax(-1); }

double number(const at::Tensor& x) { return x.item<double>(); }

TEST(Metrics, EachNameEqualsItsFormulaOnRowsOfUnequalLength) {
  Lab lab;
  const Prompts rows = random_rows({4, 7, 2});
  const std::vector<std::string> names = {"logit_diff", "logit", "log_prob",    "joint_log_prob",  "prob",
                                          "prob_diff",  "rank",  "kl_to_clean", "kl_to_unpatched", "entropy",
                                          "loss"};
  std::vector<Metric> metrics;
  for (const auto& name : names) metrics.push_back(Metric::named(name));
  const Edits edits = Edits().at("blocks.1.hook_mlp_out", Change::scale(0.4));
  const Cells cells = lab.session.measure(rows, metrics, edits);
  double largest = 0;
  for (Index row = 0; row < 3; ++row) {
    const at::Tensor ids = row_ids(rows, row);
    const at::Tensor base = run_by_hand(*lab.model, ids).logits;
    const at::Tensor logits =
        run_by_hand(*lab.model, ids,
                    {{*lab.model->hooks().find("blocks.1.hook_mlp_out"), [](const at::Tensor& x) { return x * 0.4; }}})
            .logits;
    const Index last = ids.size(1) - 1, answer = (row * 5 + 3) % 31, foil = (row * 7 + 11) % 31;
    const at::Tensor end = logits[last].to(at::kDouble), log_p = log_probs(logits), log_q = log_probs(base)[last];
    double loss = 0;
    for (Index pos = 0; pos < last; ++pos) loss -= number(log_p[pos][ids[0][pos + 1]]);
    const double kl = number((log_q.exp() * (log_q - log_p[last])).sum());
    const std::vector<double> expected = {number(end[answer] - end[foil]),
                                          number(end[answer]),
                                          number(log_p[last][answer]),
                                          number(log_p[last][answer]),
                                          number(log_p[last][answer].exp()),
                                          number(log_p[last][answer].exp() - log_p[last][foil].exp()),
                                          number((end > end[answer]).sum().to(at::kDouble)),
                                          kl,
                                          kl,
                                          number(-(log_p[last].exp() * log_p[last]).sum()),
                                          loss / static_cast<double>(last)};
    for (std::size_t m = 0; m < names.size(); ++m) {
      const double got = number(cells.values(static_cast<Index>(m))[row]);
      EXPECT_NEAR(got, expected[m], 2e-5) << names[m] << " row " << row;
      largest = std::max(largest, std::abs(got - expected[m]));
    }
    EXPECT_NEAR(number(cells.base(0)[row]), logit_diff(base, answer, foil), 2e-5);
  }
  printf("metrics: %zu values, largest difference %.2g\n", 3 * names.size(), largest);
}

TEST(Metrics, SetsOfAnswersCountAsLogSumExp) {
  Lab lab;
  const Prompts rows = Prompts::tokens(padded_ids({5, 6}, 1))
                           .with("answer", ints({3, 4, 9, -1}).view({2, 2}))
                           .with("foil", ints({1, 2}));
  const Cells cells = lab.session.measure(rows, {Metric::named("logit_diff"), Metric::named("prob")}, {});
  const at::Tensor logits = run_by_hand(*lab.model, row_ids(rows, 0)).logits[4].to(at::kDouble);
  EXPECT_NEAR(number(cells.values(0)[0]), number(at::logsumexp(logits.narrow(0, 3, 2), 0) - logits[1]), 1e-5);
  EXPECT_NEAR(number(cells.values(1)[0]), number(logits.softmax(0).narrow(0, 3, 2).sum()), 1e-5);
}

TEST(Metrics, AtChoosesThePositionAndMeansOverSeveral) {
  Lab lab;
  const Prompts rows = random_rows({4, 7});
  const at::Tensor per_row = ints({1, kUnset});
  const Cells cells = lab.session.measure(
      rows,
      {Metric::named("logit", {-2}), Metric::named("entropy", {0, 3}), Metric::named("entropy", Positions()),
       Metric::named("logit", Positions::per_row(per_row)),
       Metric::custom("first", [](const Tensor& logits, const Prompts&) { return logits.select(1, 0).select(1, 5); },
                      {0, 1})},
      {});
  const at::Tensor logits = run_by_hand(*lab.model, row_ids(rows, 1)).logits, log_p = log_probs(logits),
                   entropy = -(log_p.exp() * log_p).sum(1);
  EXPECT_NEAR(number(cells.values(0)[1]), number(logits[5][8]), 1e-5);
  EXPECT_NEAR(number(cells.values(1)[1]), number((entropy[0] + entropy[3]) / 2), 1e-5);
  EXPECT_NEAR(number(cells.values(2)[1]), number(entropy.mean()), 1e-5);
  EXPECT_TRUE(std::isnan(number(cells.values(3)[1])));
  EXPECT_FALSE(std::isnan(number(cells.values(3)[0])));
  EXPECT_NEAR(number(cells.values(4)[1]), number(logits[0][5]), 1e-5);
}

TEST(Metrics, MistakesAreSentences) {
  Lab lab;
  const Prompts rows = random_rows({4, 7});
  const auto measured = [&](Metric metric, const Prompts& of) {
    return error_of([&] { lab.session.measure(of, {metric}, {}); });
  };
  EXPECT_EQ(measured(Metric::named("logit_diff", {5}), rows),
            "metric 'logit_diff' is read at 5, but prompt 0 has 4 tokens; padding has no metric, correct `at`");
  EXPECT_THAT(measured(Metric::named("logit_diff"), Prompts::tokens(padded_ids({3}, 1))),
              HasSubstr("metric 'logit_diff' needs answers, but the prompts have no 'answer'"));
  EXPECT_THAT(measured(Metric::named("loss", {-1}), Prompts::tokens(padded_ids({1}, 1))),
              HasSubstr("predicts next tokens, but prompt 0 has one token"));
  const Prompts two = rows.with("answer", ints({1, 2, 3, 4}).view({2, 1, 2}));
  EXPECT_THAT(measured(Metric::named("logit"), two),
              HasSubstr("the 'answer' of prompt 0 is 2 tokens, but metric 'logit' reads one"));
  EXPECT_THAT(measured(Metric::named("joint_log_prob"), two), HasSubstr("not yet in this version"));
  EXPECT_THAT(measured(Metric::custom("mine", [](const Tensor& logits, const Prompts&) { return logits; }), rows),
              HasSubstr("metric 'mine' returned [2, 31] where [2] is required"));
  EXPECT_THAT(measured(Metric::named("entropy"), Prompts::tokens(at::full({1, 2}, 40, at::kLong))),
              HasSubstr("has token 40 at position 0, but tiny knows tokens 0..30"));
}

TEST(Measure, ListsInEditsAreAxes) {
  Lab lab;
  const Prompts rows = random_rows({4, 7});
  const at::Tensor vectors = at::randn({2, 20}, at::detail::createCPUGenerator(1), at::kFloat);
  const Edits edits =
      Edits().at("blocks.1.hook_resid_pre", Change::add(vectors, {{0.0, 1.0, -2.0}}, Per::Vector), {.positions = {-1}});
  const Cells cells = lab.session.measure(rows, {Metric::named("logit_diff")}, edits);
  ASSERT_EQ(cells.values().sizes(), at::IntArrayRef({2, 3, 2}));
  EXPECT_EQ(difference(cells.values()[0][0], cells.base()), 0);  // coefficient 0: the unedited run, bit for bit
  EXPECT_EQ(cells.labels().axes[1].reals, (std::vector<double>{0, 1, -2}));
  const at::Tensor ids = row_ids(rows, 1);
  const at::Tensor logits = run_by_hand(*lab.model, ids,
                                        {{*lab.model->hooks().find("blocks.1.hook_resid_pre"),
                                          [&](const at::Tensor& x) {
                                            at::Tensor out = x.clone();
                                            out.select(1, 6).add_(vectors[1] * -2.0);
                                            return out;
                                          }}})
                                .logits;
  EXPECT_NEAR(number(cells.values()[1][2][1]), logit_diff(logits, 8, 18), 2e-5);
}

TEST(Readout, EqualsTheWholeLogits) {
  Lab lab;
  const Prompts rows = random_rows({4, 7});
  const Capture seen = lab.session.capture(rows, "blocks.*.hook_resid_post", {}, {});
  const ModelBackend& model = lab.session.model();
  const at::Tensor targets = ints({3, 8, 5, -1}).view({2, 2});
  const Readout lens = model.read(seen["blocks.0.hook_resid_post"],
                                  {.top_k = 3, .targets = targets, .kl_from = seen.resid(), .entropy = true});
  const at::Tensor log_p = log_probs(model.unembed(seen["blocks.0.hook_resid_post"])), log_f = log_probs(seen.logits());
  EXPECT_LT(difference(lens.kl, (log_f.exp() * (log_f - log_p)).sum(-1)), 1e-9);
  EXPECT_LT(difference(lens.entropy, -(log_p.exp() * log_p).sum(-1)), 1e-9);
  EXPECT_EQ(lens.token[1][6][0].item<Index>(), log_p[1][6].argmax().item<Index>());
  EXPECT_EQ(lens.token[0][5][0].item<Index>(), -1);  // padding
  EXPECT_TRUE(std::isnan(number(lens.log_prob[0][5][0])));
  EXPECT_EQ(number(lens.target_rank[1][2][0]), number((log_p[1][2] > log_p[1][2][5]).sum().to(at::kDouble)));
  EXPECT_TRUE(std::isnan(number(lens.target_logit[1][2][1])));
  const Readout last = model.read(seen["blocks.2.hook_resid_post"], {.kl_from = seen.resid()});
  EXPECT_LT(last.kl.nan_to_num(0).abs().max().item<double>(), 1e-9);  // the last row of a lens is the model's output
}

TEST(Direction, PartsAndBiasSumToTheLogitDifference) {
  Lab lab;
  const Prompts rows = random_rows({6, 6});
  const Capture seen = lab.session.capture(
      rows, {"hook_embed", "hook_pos_embed", "blocks.*.hook_attn_out", "blocks.*.hook_mlp_out", "ln_final.hook_scale"},
      {}, {});
  const at::Tensor answer = ints({3, 8}), foil = ints({11, 18});
  const Direction direction = lab.session.model().logit_direction(answer, foil);
  at::Tensor sum = direction.bias.clone();
  for (const auto& [point, value] : seen) {
    if (point.name == "ln_final.hook_scale") continue;
    sum = sum + (value.select(1, 5) * direction.u).sum(-1) / seen["ln_final.hook_scale"].select(1, 5).squeeze(-1);
  }
  const at::Tensor logits = seen.logits().select(1, 5);
  const at::Tensor expected = logits.gather(1, answer.unsqueeze(1)) - logits.gather(1, foil.unsqueeze(1));
  EXPECT_LT(difference(sum, expected.squeeze(1)), 1e-4);
  EXPECT_THAT(error_of([&] { lab.session.model().weight("W_X", 0); }), HasSubstr("W_X"));
}

}  // namespace
}  // namespace diopter::engine::testing
