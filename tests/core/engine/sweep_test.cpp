#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <diopter_host/specs.hpp>

#include "core/engine/by_hand.hpp"
#include "core/engine/support.hpp"
#include "model/precision.hpp"

namespace diopter::engine::testing {
namespace {

using ::testing::HasSubstr;

Metric normalised_logit_diff(double min_gap = 0.1) {
  MetricSpec spec = Metric::named("logit_diff").spec();
  spec.normalise = true;
  spec.min_gap = min_gap;
  return Metric(std::make_shared<const MetricSpec>(spec));
}

TEST(Sweep, BaseEqualToDonorIsZeroEverywhere) {
  Lab lab({.kind = "trial", .plain_sweeps = true}), quick;
  const Prompts pairs = random_pairs({4, 7, 6}, 2);
  for (const char* hooks : {"blocks.{layer}.hook_resid_pre", "blocks.{layer}.attn.hook_z", "blocks.{layer}.attn.hook_q",
                            "blocks.{layer}.hook_mlp_out", "blocks.{layer}.attn.hook_result",
                            "blocks.{layer}.hook_k_input", "blocks.{layer}.attn.hook_pattern"}) {
    Sweep sweep{.into = pairs.clean(),
                .hooks = hooks,
                .axes = {{"layer"}},
                .change = Change::replace(pairs.clean()),
                .metrics = logit_diff_only()};
    // Observing makes every plain cell run: nothing may be won by skipping.
    sweep.observe = "blocks.2.hook_resid_post";
    sweep.on_chunk = [](const Chunk&) {};
    const Cells cells = lab.session.sweep(sweep);
    EXPECT_EQ(difference(cells.values(), cells.base().expand_as(cells.values())), 0) << hooks;
    EXPECT_EQ(cells.counts().computed, 3);
    // With an edit in base and cells, equal tokens prove nothing.
    sweep.edits.at("blocks.0.hook_resid_pre", Change::scale(1.0));
    const Cells packed = quick.session.sweep(sweep);
    EXPECT_EQ(difference(packed.values(), packed.base().expand_as(packed.values())), 0) << hooks;
    EXPECT_EQ(packed.counts().computed, 3);
  }
}

TEST(Sweep, AllPositionsOfTheStreamGiveTheDonor) {
  Lab lab;
  const Prompts pairs = random_pairs({4, 7, 6}, 0);
  for (const char* hooks :
       {"blocks.{layer}.hook_resid_pre", "blocks.{layer}.hook_resid_mid", "blocks.{layer}.hook_resid_post"}) {
    const Cells cells = lab.session.sweep(patching(pairs, hooks, {{"layer"}}));
    EXPECT_LT(difference(cells.values(), cells.donor().expand_as(cells.values())), 1e-5) << hooks;
    EXPECT_GT(difference(cells.base(), cells.donor()), 1e-2);
  }
}

TEST(Sweep, ResidPreOfLayerZeroIsBaseWhereTokensAreEqual) {
  Lab lab;
  const Prompts pairs = random_pairs({6, 6}, 3);  // they differ at 3 and 5
  const Cells cells = lab.session.sweep(patching(pairs, "blocks.{layer}.hook_resid_pre", {{"layer", {0}}, {"pos"}}));
  for (const Index pos : {0, 1, 2, 4}) EXPECT_EQ(difference(cells.values()[0][pos], cells.base()), 0) << pos;
  EXPECT_GT(difference(cells.values()[0][3], cells.base()), 1e-3);
}

TEST(Sweep, RowsWithoutThePositionAreNaN) {
  Lab lab;
  const Prompts pairs = random_pairs({4, 7}, 1);
  const Cells cells = lab.session.sweep(patching(pairs, "blocks.{layer}.hook_resid_pre", {{"layer", {1}}, {"pos"}}));
  for (Index pos = 0; pos < 7; ++pos) {
    EXPECT_EQ(std::isnan(cells.values()[0][pos][0].item<double>()), pos >= 4);
    EXPECT_FALSE(std::isnan(cells.values()[0][pos][1].item<double>()));
  }
}

TEST(Sweep, SkippedCellsEqualComputedOnes) {
  Lab lab({.kind = "trial", .verify = 1000});
  const Prompts pairs = random_pairs({5, 8, 6}, 3);
  const std::vector<std::pair<const char*, std::vector<Axis>>> sweeps = {
      {"blocks.{layer}.hook_resid_pre", {{"layer"}, {"pos"}}},
      {"blocks.{layer}.hook_mlp_out", {{"layer"}, {"pos"}}},
      {"blocks.{layer}.attn.hook_k", {{"layer"}, {"pos"}, {"kv_head"}}},
      {"blocks.{layer}.attn.hook_pattern", {{"layer", {0, 2}}, {"head", {1}}, {"dest"}, {"src"}}}};
  for (const auto& [hooks, axes] : sweeps) {
    const Cells cells = lab.session.sweep(patching(pairs, hooks, axes));
    const Counts& counts = cells.counts();
    printf("%-34s %3ld cells, %3ld computed, %3ld skipped, %3ld verified, largest difference %.2g\n", hooks,
           counts.cells, counts.computed, counts.skipped, counts.verified, counts.largest_difference);
    EXPECT_GT(counts.skipped, 0);
    EXPECT_EQ(counts.verified, counts.computed + counts.skipped);
    EXPECT_LT(counts.largest_difference, 1e-5);
  }
}

TEST(Sweep, ReadingInTheMiddleSkipsWhatComesAfter) {
  Lab lab({.kind = "trial", .verify = 1000});
  Sweep sweep = patching(random_pairs({6, 6}, 0), "blocks.{layer}.hook_resid_pre", {{"layer"}, {"pos"}});
  sweep.metrics = {Metric::named("logit_diff", {2})};
  const Cells cells = lab.session.sweep(sweep);
  // Positions 3, 4, 5 in three layers; position 1 in the first, where equal tokens make equal streams.
  EXPECT_EQ(cells.counts().skipped, 10);
  EXPECT_LT(cells.counts().largest_difference, 1e-5);
}

// From some length on attention is computed by products of blocks of queries.
TEST(Sweep, LongPromptsHaveTheNumbersOfPlainForwards) {
  ModelInfo info = model::testing::tiny_info();
  info.n_ctx = 320;
  for (const std::vector<Index>& windows : {std::vector<Index>{}, std::vector<Index>{0, 40, 150}}) {
    info.windows = windows;
    info.n_kv_heads = windows.empty() ? 4 : 2;
    Lab lab({.kind = "trial", .verify = 1000}, 3, info);
    const Prompts pairs = random_pairs({300, 130, 7}, 60);
    for (const char* hooks :
         {"blocks.{layer}.hook_resid_pre", "blocks.{layer}.attn.hook_q", "blocks.{layer}.attn.hook_v"}) {
      std::vector<Axis> axes = {{"layer"}, {"pos", {0, 60, 129, 280}}};
      if (std::string(hooks).ends_with("hook_q")) axes.push_back({"head", {1}});
      if (std::string(hooks).ends_with("hook_v")) axes.push_back({"kv_head", {1}});
      const Counts counts = lab.session.sweep(patching(pairs, hooks, axes)).counts();
      EXPECT_GT(counts.computed, 0);
      EXPECT_LT(counts.largest_difference, 1e-5) << hooks;
    }
  }
}

TEST(Sweep, AlignmentDecidesWhichPositionsBelongTogether) {
  Lab lab;
  const at::Tensor clean = padded_ids({7, 5}, 3), corrupted = padded_ids({6, 5}, 4);
  const Prompts unequal = with_answers(Prompts::tokens(clean)).with("corrupted", corrupted);
  EXPECT_THAT(error_of([&] {
                lab.session.sweep(patching(unequal, "blocks.{layer}.hook_resid_pre", {{"layer"}, {"pos"}}));
              }),
              HasSubstr("it is unknown which belong together"));

  auto data = std::make_shared<PromptsData>(*unequal.data());
  data->align = PromptsData::Align::End;
  const Prompts pairs{std::shared_ptr<const PromptsData>(data)};
  const Cells cells = lab.session.sweep(patching(pairs, "blocks.{layer}.hook_resid_post", {{"layer", {1}}, {"pos"}}));
  const HookId id = *lab.model->hooks().find("blocks.1.hook_resid_post");
  const HandRun donor = run_by_hand(*lab.model, row_ids(pairs.clean(), 0));
  for (Index pos = 0; pos < 6; ++pos) {
    const at::Tensor logits = run_by_hand(*lab.model, row_ids(pairs.corrupted(), 0),
                                          {{id,
                                            [&](const at::Tensor& x) {
                                              at::Tensor out = x.clone();
                                              out.select(1, pos).copy_(donor.values.at(id).select(1, pos + 1));
                                              return out;
                                            }}})
                                  .logits;
    EXPECT_NEAR(cells.values()[0][pos][0].item<double>(), logit_diff(logits, 3, 11), 2e-5) << pos;
  }
  Sweep given = patching(unequal, "blocks.{layer}.hook_resid_post", {{"layer", {1}}, {"pos"}});
  given.align = at::full({2, 6}, kUnset, at::kLong);
  given.align.select(0, 0).select(0, 4).fill_(5);
  const Cells one = lab.session.sweep(given);
  EXPECT_NEAR(one.values()[0][4][0].item<double>(), cells.values()[0][4][0].item<double>(), 1e-5);
  EXPECT_EQ(one.values().isnan().sum().item<Index>(), 11);
  EXPECT_EQ(one.counts().cells - one.counts().computed - one.counts().skipped, 5);  // no prompt has them
}

TEST(Sweep, FrozenPointsKeepTheBaseValues) {
  Lab lab;
  const Prompts pairs = random_pairs({5, 7}, 1);
  Sweep sweep = patching(pairs, "blocks.{layer}.attn.hook_z", {{"layer", {0}}, {"head"}});
  sweep.freeze = {"blocks.*.attn.hook_z", "blocks.*.hook_mlp_out"};
  const Cells cells = lab.session.sweep(sweep);
  const HookTable& hooks = lab.model->hooks();
  for (Index row = 0; row < 2; ++row) {
    const HandRun base = run_by_hand(*lab.model, row_ids(pairs.corrupted(), row)),
                  donor = run_by_hand(*lab.model, row_ids(pairs.clean(), row));
    for (Index head = 0; head < 4; ++head) {
      std::map<HookId, std::function<at::Tensor(const at::Tensor&)>> edits;
      for (Index layer = 0; layer < 3; ++layer) {
        for (const Point point : {Point::Z, Point::MlpOut}) {
          const HookId id = hooks.id(point, layer);
          edits[id] = [&, id, point, layer](const at::Tensor&) {
            at::Tensor out = base.values.at(id).clone();
            if (point == Point::Z && layer == 0) out.select(2, head).copy_(donor.values.at(id).select(2, head));
            return out;
          };
        }
      }
      const at::Tensor logits = run_by_hand(*lab.model, row_ids(pairs.corrupted(), row), edits).logits;
      EXPECT_NEAR(cells.values()[0][head][row].item<double>(),
                  logit_diff(logits, (row * 5 + 3) % 31, (row * 7 + 11) % 31), 2e-5);
    }
  }
}

TEST(Sweep, ChunksArriveInOrderWithWhatIsObserved) {
  Lab lab;
  const Prompts pairs = random_pairs({5, 7}, 1);
  Sweep sweep = patching(pairs, "blocks.{layer}.hook_resid_pre", {{"layer"}, {"pos"}});
  sweep.observe = "blocks.2.hook_resid_post";
  Index next = 0;
  std::vector<at::Tensor> values;
  at::Tensor observed;
  sweep.on_chunk = [&](const Chunk& chunk) {
    EXPECT_EQ(chunk.first, next);
    next += chunk.values[0].size(0);
    values.push_back(chunk.values[0]);
    observed = chunk.observed["blocks.2.hook_resid_post"].clone();
    EXPECT_THAT(error_of([&] { lab.session.measure(pairs, logit_diff_only(), {}); }), HasSubstr("inside a forward"));
  };
  const Cells cells = lab.session.sweep(sweep);
  EXPECT_EQ(next, 21);
  EXPECT_EQ(difference(at::cat(values), cells.values().reshape({-1, 2})), 0);
  ASSERT_EQ(observed.sizes(), at::IntArrayRef({21, 2, 7, 20}));
  const at::Tensor logits = lab.session.model().unembed(observed[20][1][6]).to(at::kDouble);
  EXPECT_NEAR((logits[8] - logits[18]).item<double>(), cells.values()[2][6][1].item<double>(), 1e-5);
}

TEST(Sweep, CoefficientVectorAndSiteAreAxes) {
  Lab lab;
  const Prompts rows = random_rows({5, 7});
  const at::Tensor vectors = at::randn({2, 20}, at::detail::createCPUGenerator(1), at::kFloat);
  Sweep sweep{.into = rows,
              .hooks = {"blocks.{layer}.hook_resid_pre", "blocks.{layer}.hook_attn_out"},
              .axes = {{"site"}, {"layer", {2}}, {"vector"}, {"coefficient"}},
              .change = Change::add(vectors, {{0.0, 3.0}}, Per::Vector),
              .metrics = logit_diff_only()};
  const Cells cells = lab.session.sweep(sweep);
  ASSERT_EQ(cells.values().sizes(), at::IntArrayRef({2, 1, 2, 2, 2}));
  EXPECT_EQ(difference(cells.values()[0][0][1][0], cells.base()), 0);
  const Cells one =
      lab.session.measure(rows, logit_diff_only(), Edits().at("blocks.2.hook_attn_out", Change::add(vectors[1], 3.0)));
  EXPECT_LT(difference(cells.values()[1][0][1][1], one.values()), 1e-6);
  EXPECT_THAT(lab.monitor.events, ::testing::Contains(std::pair<std::string, std::string>(
                                      "edit-unchanged", "the change altered no bit in 4 of 8 computed cells")));
}

TEST(Sweep, NormalisedIsARatioOfMeansOrAWarning) {
  Lab lab;
  const Prompts pairs = random_pairs({5, 7, 6}, 1);
  Sweep sweep = patching(pairs, "blocks.{layer}.hook_resid_pre", {{"layer"}, {"pos"}});
  sweep.metrics = {normalised_logit_diff(1e-3)};
  const Cells cells = lab.session.sweep(sweep);
  const at::Tensor values = cells.values(), base = cells.base(), donor = cells.donor(),
                   there = values.isnan().logical_not();
  const auto mean = [&](const at::Tensor& x) {
    return at::where(there, x, at::zeros({}, at::kDouble)).sum(-1) / there.sum(-1);
  };
  ASSERT_TRUE(cells.normalised().defined());
  EXPECT_LT(difference(cells.normalised(), (mean(values) - mean(base)) / (mean(donor) - mean(base))), 1e-12);
  sweep.metrics = {normalised_logit_diff(1e6)};
  lab.monitor.warnings.clear();
  EXPECT_FALSE(lab.session.sweep(sweep).normalised().defined());
  ASSERT_EQ(lab.monitor.warnings.size(), 1u);
  EXPECT_EQ(lab.monitor.warnings[0].first, "gap");
  EXPECT_THAT(lab.monitor.warnings[0].second, HasSubstr("which is under 1e+06: values are given raw, not normalised"));
}

TEST(Sweep, NumbersThatAreNotFiniteAreAWarning) {
  Lab lab;
  Sweep sweep{.into = random_rows({4, 6}),
              .hooks = "blocks.{layer}.ln1.hook_scale",
              .axes = {{"layer"}},
              .change = Change::zero(),
              .metrics = logit_diff_only()};
  lab.session.sweep(sweep);
  ASSERT_EQ(lab.monitor.warnings.size(), 1u);
  EXPECT_EQ(
      lab.monitor.warnings[0].second,
      "3 of 3 computed cells gave numbers that are not finite: the change takes the model out of range; in cell 0 "
      "first at 'blocks.0.ln1.hook_normalized' of prompt 0");
}

// Products in bfloat16: other numbers, near those of float32, and the difference is measured.
TEST(Sweep, ProductsInLowPrecisionSayWhatTheyCost) {
  Lab exact;
  const auto low =
      std::make_shared<const model::Transformer>(model::with_products_in(exact.model->parameters(), at::kBFloat16));
  Remembering monitor;
  Session session(low, nullptr, monitor, {.kind = "trial", .exact = exact.model});
  const Sweep sweep = patching(random_pairs({6, 8}, 2), "blocks.{layer}.attn.hook_z", {{"layer"}, {"pos"}, {"head"}});
  const Cells fast = session.sweep(sweep), slow = exact.session.sweep(sweep);
  const double gap = difference(fast.values(), slow.values()),
               scale = slow.values().abs().nan_to_num(0).max().item<double>();
  printf("products in bfloat16: %ld cells, largest difference %.2g of %.2g, %ld measured: %.2g\n", fast.counts().cells,
         gap, scale, fast.counts().verified, fast.counts().largest_difference);
  EXPECT_GT(gap, 1e-5);
  EXPECT_LT(gap, 0.05 * scale);
  EXPECT_EQ(fast.counts().verified, 16);
  EXPECT_GT(fast.counts().largest_difference, 0);
  EXPECT_LE(fast.counts().largest_difference, gap * 1.001);
  ASSERT_GE(monitor.events.size(), 1u);
  EXPECT_THAT(monitor.events[0].second, HasSubstr("products in bfloat16 against float32 on 14 positions"));
  EXPECT_EQ(low->parameters().canonical("W_O", 0).scalar_type(), at::kFloat);
}

TEST(Sweep, MistakesAreSentences) {
  Lab lab;
  const Prompts pairs = random_pairs({5, 7}, 1);
  const auto swept = [&](const char* hooks, std::vector<Axis> axes) {
    return error_of([&] { lab.session.sweep(patching(pairs, hooks, std::move(axes))); });
  };
  EXPECT_THAT(swept("blocks.{layer}.hook_resid_pre", {{"layers"}}),
              HasSubstr("'layers' is not an axis of a sweep (did you mean 'layer'?)"));
  EXPECT_THAT(swept("blocks.0.hook_resid_pre", {{"layer"}}), HasSubstr("its hooks do not contain {layer}"));
  EXPECT_THAT(swept("blocks.{layer}.hook_resid_pre", {{"layer", {3}}}),
              HasSubstr("layer 3 is out of range: tiny has layers 0..2"));
  EXPECT_THAT(swept("blocks.{layer}.hook_resid_pre", {{"layer"}, {"head"}}),
              HasSubstr("heads were selected at 'blocks.0.hook_resid_pre', which has none"));
  EXPECT_THAT(swept("blocks.{layer}.hook_resid_pre", {{"pos"}, {"pos"}}), HasSubstr("axis 'pos' is given twice"));
  EXPECT_THAT(swept("blocks.{layer}.hook_resid_pst", {{"layer"}}),
              HasSubstr("did you mean 'blocks.*.hook_resid_post'"));
  EXPECT_EQ(lab.monitor.forwards, 0);
}

// " .": token 1; every other token is its number.
class Numbers final : public TokenCodec {
 public:
  std::vector<Index> encode(Text text) const override { return {std::stol(std::string(text))}; }
  std::string text(Index token) const override { return token == 1 ? "." : std::to_string(token); }
  Index size() const override { return 31; }
};

TEST(Guards, AnAnswerThatThePromptAlreadySaysIsAWarning) {
  Lab lab({.kind = "trial"}, 1, model::testing::tiny_info(), std::make_shared<Numbers>());
  const auto rows = [](std::vector<Index> ids) {
    return Prompts::tokens(at::tensor(at::ArrayRef<Index>(ids), at::kLong).unsqueeze(0))
        .with("answer", ints({7}))
        .with("foil", ints({8}));
  };
  lab.session.measure(rows({4, 7, 5, 7, 6}), logit_diff_only(),
                      {});  // as in IOI: the name occurs, the question is open
  EXPECT_TRUE(lab.monitor.warnings.empty());
  lab.session.measure(rows({4, 5, 7, 1}), logit_diff_only(), {});
  ASSERT_EQ(lab.monitor.warnings.size(), 1u);
  EXPECT_EQ(lab.monitor.warnings[0].first, "answer-in-prompt");
  EXPECT_EQ(lab.monitor.warnings[0].second,
            "the answer '7' already stands in the clean prompt, and logit_diff is read at '.' after it");
}

}  // namespace
}  // namespace diopter::engine::testing
