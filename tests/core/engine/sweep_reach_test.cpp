// What reaches what: sources that move, windows that are looked beyond, edits of all cells beside those of one, batches
// of other lengths.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/engine/by_hand.hpp"
#include "core/engine/support.hpp"

namespace diopter::engine::testing {
namespace {

// Equal tokens up to there, and the query stays: its pattern is another one all the same where the keys change places.
TEST(SweepReach, APatternWhoseSourcesMoveIsAnotherOne) {
  const Prompts unmapped = random_pairs({6}, 5);
  const std::vector<Index> places = {1, 0, 2, 3, 4, 5};
  for (const char* hooks : {"blocks.{layer}.attn.hook_attn_scores", "blocks.{layer}.attn.hook_pattern"}) {
    for (const bool plain : {true, false}) {
      Lab lab({.kind = "trial", .plain_sweeps = plain});
      Sweep sweep = patching(unmapped, hooks, {{"layer"}, {"dest"}});
      sweep.align = ints(places).unsqueeze(0);
      const at::Tensor values = lab.session.sweep(sweep).values();
      const HandRun donor = run_by_hand(*lab.model, row_ids(unmapped.clean(), 0));
      const HandRun base = run_by_hand(*lab.model, row_ids(unmapped.corrupted(), 0));
      for (Index layer = 0; layer < 2; ++layer) {  // of the last, what the metric does not read changes nothing
        const HookId id = lab.model->hooks().resolve(HookSet(hooks), layer).front();
        for (const Index dest : {2, 3, 4}) {
          const auto moved = [&](const at::Tensor& value) {
            at::Tensor out = value.clone();
            out.select(2, dest).copy_(donor.values.at(id).select(2, dest).index_select(-1, ints(places)));
            return out;
          };
          const at::Tensor logits = run_by_hand(*lab.model, row_ids(unmapped.corrupted(), 0), {{id, moved}}).logits;
          EXPECT_NEAR(values[layer][dest][0].item<double>(), logit_diff(logits, 3, 11), 2e-5) << hooks << " " << dest;
          EXPECT_GT(std::abs(logit_diff(logits, 3, 11) - logit_diff(base.logits, 3, 11)), 1e-3) << hooks << " " << dest;
        }
      }
    }
  }
}

// Both parts of the first stream changed in one cell: half of each is half of their sum.
TEST(SweepReach, BothPartsOfTheFirstStream) {
  Lab lab;
  const auto halved = [&](const HookSet& hooks) {
    return lab.session
        .sweep({.into = random_rows({5, 7}),
                .hooks = hooks,
                .axes = {{"pos"}},
                .change = Change::scale(0.5),
                .metrics = logit_diff_only()})
        .values();
  };
  const at::Tensor sum = halved("blocks.0.hook_resid_pre");
  EXPECT_LT(difference(halved({"hook_embed", "hook_pos_embed"}), sum), 1e-6);
  EXPECT_GT(difference(halved("hook_embed"), sum), 1e-3);
  EXPECT_GT(difference(halved("hook_pos_embed"), sum), 1e-3);
}

// In a block side by side the MLP reads what entered it: where that is the donor's stream its output is the donor's
// too, while attention sees other keys.
TEST(SweepReach, BlocksSideBySideTakeTheDonorsMlpWithItsStream) {
  ModelInfo info = model::testing::tiny_info();
  info.parallel_block = true;
  Lab lab({.kind = "trial"}, 1, info);
  const Prompts pairs = random_pairs({5, 8}, 0);
  const Cells cells = lab.session.sweep(patching(pairs, "blocks.{layer}.hook_resid_pre", {{"layer"}, {"pos"}}));
  for (Index row = 0; row < 2; ++row) {
    const HandRun donor = run_by_hand(*lab.model, row_ids(pairs.clean(), row));
    for (Index layer = 0; layer < 3; ++layer) {
      const HookId id = lab.model->hooks().id(Point::ResidPre, layer);
      for (Index pos = 0; pos < pairs.lengths()[row].item<Index>(); ++pos) {
        const auto patched = [&](const at::Tensor& value) {
          at::Tensor out = value.clone();
          out.select(1, pos).copy_(donor.values.at(id).select(1, pos));
          return out;
        };
        const at::Tensor logits = run_by_hand(*lab.model, row_ids(pairs.corrupted(), row), {{id, patched}}).logits;
        EXPECT_NEAR(cells.values()[layer][pos][row].item<double>(),
                    logit_diff(logits, (row * 5 + 3) % 31, (row * 7 + 11) % 31), 2e-5)
            << layer << " " << pos;
      }
    }
  }
}

// Edits of all cells at the output of an MLP whose neurons are swept: they act on it once.
TEST(SweepReach, NeuronsUnderAnEditOfTheirOutput) {
  const Prompts pairs = random_pairs({6, 4}, 1);
  const at::Tensor step = at::randn({20}, at::detail::createCPUGenerator(3), at::kFloat);
  const auto values = [&](const char* hooks, bool plain) {
    Lab lab({.kind = "trial", .plain_sweeps = plain});
    Sweep sweep = patching(pairs, hooks, {{"layer"}, {"pos"}, {"neuron", {2, 9}}});
    sweep.edits.at("blocks.1.hook_mlp_out", Change::add(step, 2.0)).at("blocks.2.mlp.hook_post", Change::scale(0.5));
    const Cells cells = lab.session.sweep(sweep);
    EXPECT_EQ(lab.monitor.events.front().first == "sweep-plain", plain);
    return cells.values();
  };
  for (const char* hooks : {"blocks.{layer}.mlp.hook_pre", "blocks.{layer}.mlp.hook_post"})
    EXPECT_LT(difference(values(hooks, true), values(hooks, false)), 2e-5) << hooks;
}

// Scores of the base run hold the edits of all cells already: a cell's own edit of the same scores comes on top, and
// the others act once.
TEST(SweepReach, ScoresUnderAnEditOfAllCells) {
  const Prompts pairs = random_pairs({6, 4}, 1);
  const auto values = [&](double factor, bool plain) {
    Lab lab({.kind = "trial", .plain_sweeps = plain});
    Sweep sweep = patching(pairs, "blocks.{layer}.attn.hook_attn_scores", {{"layer", {0, 1}}, {"dest"}, {"head"}});
    sweep.change = Change::scale(factor);
    sweep.edits.at("blocks.1.attn.hook_attn_scores", Change::scale(2.0))
        .at("blocks.0.attn.hook_pattern", Change::scale(0.5));
    const Cells cells = lab.session.sweep(sweep);
    EXPECT_EQ(lab.monitor.events.front().first == "sweep-plain", plain);
    return cells.values();
  };
  EXPECT_LT(difference(values(3.0, true), values(3.0, false)), 2e-5);
  EXPECT_GT(difference(values(3.0, false), values(1.0, false)), 1e-3);
}

// A query whose every score is hidden reads nothing: the same as a pattern of zeros.
TEST(SweepReach, HiddenScoresAreAPatternOfZeros) {
  Lab lab;
  const auto values = [&](const char* hooks, const Change& change) {
    return lab.session
        .sweep({.into = random_rows({6, 6}),
                .hooks = hooks,
                .axes = {{"layer"}, {"dest"}, {"head"}},
                .change = change,
                .metrics = logit_diff_only()})
        .values();
  };
  const at::Tensor zeros = values("blocks.{layer}.attn.hook_pattern", Change::zero());
  const at::Tensor hidden = at::full({6}, -std::numeric_limits<float>::infinity());
  const at::Tensor unseeing = values("blocks.{layer}.attn.hook_attn_scores", Change::add(hidden));
  EXPECT_TRUE(zeros.isfinite().all().item<bool>());
  EXPECT_TRUE(at::allclose(unseeing, zeros, 0, 2e-5));  // false where one is not a number
}

// A pattern that looks back beyond the window meets streams which no mask would need.
TEST(SweepReach, EditsThatLookBeyondAWindow) {
  ModelInfo info = model::testing::tiny_info();
  info.windows = {2, 2, 2};
  const Prompts pairs = random_pairs({7}, 0);
  const at::Tensor back = (at::ones({7, 7}) * 0.2).tril(0);
  const auto values = [&](const char* hooks, bool plain) {
    Lab lab({.kind = "trial", .plain_sweeps = plain}, 1, info);
    Sweep sweep = patching(pairs, hooks, {{"layer", {0}}, {"pos"}});
    sweep.edits.at("blocks.2.attn.hook_pattern", Change::add(back));
    return lab.session.sweep(sweep).values();
  };
  const at::Tensor plain = values("blocks.{layer}.hook_mlp_out", true);
  EXPECT_LT(difference(plain, values("blocks.{layer}.hook_mlp_out", false)), 2e-5);
  EXPECT_GT(difference(plain.select(1, 0), plain.select(1, 1)), 1e-3);  // position 0 reaches the last one
}

// Batches of other lengths: what one batch observes is narrower than what the next one does.
TEST(SweepReach, WhatIsObservedOfSeveralBatchesIsThatOfOne) {
  const Prompts pairs = random_pairs({4, 9, 6}, 1);
  for (const bool plain : {true, false}) {
    const auto observed = [&](Index budget) {
      Lab lab({.kind = "trial", .memory_budget = budget, .plain_sweeps = plain});
      Sweep sweep = patching(pairs, "blocks.{layer}.hook_resid_pre", {{"layer"}, {"pos", {0, 3}}});
      sweep.observe = {"blocks.2.hook_resid_post", "blocks.1.attn.hook_pattern"};
      std::vector<at::Tensor> streams, patterns;
      sweep.on_chunk = [&](const Chunk& chunk) {
        streams.push_back(chunk.observed["blocks.2.hook_resid_post"].clone());
        patterns.push_back(chunk.observed["blocks.1.attn.hook_pattern"].clone());
      };
      lab.session.sweep(sweep);
      return std::pair(at::cat(streams), at::cat(patterns));
    };
    const auto [streams, patterns] = observed(0);
    const auto [few_streams, few_patterns] = observed(200'000);
    ASSERT_EQ(few_streams.sizes(), at::IntArrayRef({6, 3, 9, 20}));
    ASSERT_EQ(few_patterns.sizes(), at::IntArrayRef({6, 3, 4, 9, 9}));
    EXPECT_TRUE(at::equal(streams.isnan(), few_streams.isnan()));
    EXPECT_TRUE(at::equal(patterns.isnan(), few_patterns.isnan()));
    EXPECT_EQ(few_streams[0][0][3].isnan().any().item<bool>(), false);
    EXPECT_EQ(few_streams[0][0][4].isnan().all().item<bool>(), true);
    EXPECT_LT(difference(streams, few_streams), 1e-5);
    EXPECT_LT(difference(patterns, few_patterns), 1e-6);
  }
}

}  // namespace
}  // namespace diopter::engine::testing
