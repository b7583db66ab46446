#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/engine/by_hand.hpp"
#include "core/engine/support.hpp"

namespace diopter::engine::testing {
namespace {

using ::testing::HasSubstr;

// Values of the forward are kept without a copy where nobody else has them.
TEST(Capture, NothingAliasesAnotherValueOrWhatLogitsAreMadeFrom) {
  Lab lab;
  const Prompts rows = random_rows({6, 6});
  const HookSet every{"blocks.*.*", "blocks.*.*.*", "hook_*", "ln_final.*", "unembed.*"};
  const Capture seen = lab.session.capture(rows, every, {}, {}), again = lab.session.capture(rows, every, {}, {});
  const at::Tensor logits = seen.logits(), resid = seen.resid().clone();
  std::vector<std::pair<std::string, at::Tensor>> values;
  for (const auto& [point, value] : seen) {
    EXPECT_TRUE(value.is_contiguous()) << point.name;
    EXPECT_FALSE(value.is_alias_of(seen.resid())) << point.name;
    for (const auto& [name, other] : values) EXPECT_FALSE(value.is_alias_of(other)) << point.name << ", " << name;
    values.emplace_back(point.name, value);
  }
  ASSERT_GT(values.size(), 40U);
  for (auto& [name, value] : values) {
    EXPECT_TRUE(at::equal(value, again[name])) << name;
    value.fill_(7);
  }
  EXPECT_TRUE(at::equal(seen.logits(), logits));
  EXPECT_TRUE(at::equal(seen.resid(), resid));
  EXPECT_TRUE(at::equal(lab.session.capture(rows, every, {}, {}).logits(), logits));  // nor a weight
}

TEST(Capture, PaddedRowsEqualTheRowsAloneAndPadsAreNaN) {
  Lab lab;
  const Prompts rows = random_rows({4, 7, 2});
  const Capture seen =
      lab.session.capture(rows, {"blocks.*.*", "blocks.*.*.*", "hook_*", "ln_final.*", "unembed.*"}, {}, {});
  ASSERT_EQ(std::distance(seen.begin(), seen.end()), lab.model->hooks().size());
  Index compared = 0;
  double largest = 0;
  for (Index row = 0; row < 3; ++row) {
    const HandRun alone = run_by_hand(*lab.model, row_ids(rows, row));
    for (const auto& [point, value] : seen) {
      const at::Tensor expected = alone.values.at(*lab.model->hooks().find(point.name)).squeeze(0);
      at::Tensor real = value.select(0, row), rest = real.clone();
      for (Index dim = 0; dim < real.dim(); ++dim) {
        const Text name = point.dims[static_cast<std::size_t>(dim) + 1];
        if (name == "pos" || name == "dest" || name == "src") real = real.narrow(dim, 0, expected.size(dim));
      }
      const at::Tensor gap = at::where(real == expected, at::zeros({}), (real - expected).abs());  // -inf - -inf
      ASSERT_FALSE(gap.isnan().any().item<bool>()) << point.name;
      largest = std::max(largest, gap.max().item<double>());
      compared += expected.numel();
      EXPECT_EQ(rest.isnan().sum().item<Index>(), rest.numel() - expected.numel()) << point.name;
    }
  }
  printf("captured values: %ld compared, largest difference %.2g\n", static_cast<long>(compared), largest);
  EXPECT_LT(largest, 1e-5);
  EXPECT_LT(difference(seen.logits().select(0, 1), run_by_hand(*lab.model, row_ids(rows, 1)).logits), 1e-5);
  EXPECT_EQ(seen.logits().select(0, 0).isnan().sum().item<Index>(), 3 * lab.info().d_vocab);
  EXPECT_EQ(difference(seen.resid(), seen["blocks.2.hook_resid_post"]), 0);
}

TEST(Capture, ObservingEverythingChangesNoLogit) {
  Lab lab;
  const Prompts rows = random_rows({6, 6});
  const at::Tensor none = lab.session.capture(rows, {}, {}, {}).logits();
  const at::Tensor all =
      lab.session.capture(rows, {"blocks.*.*", "blocks.*.*.*", "hook_*", "ln_final.*", "unembed.*"}, {}, {}).logits();
  const double gap = difference(none, all), scale = none.abs().max().item<double>();
  printf("observing everything: largest logit difference %.2g of %.2g\n", gap, scale);
  EXPECT_LE(gap, 5e-6 * scale);
}

TEST(Capture, WhereKeepsSelectedDimensionsInTheOrderWritten) {
  Lab lab;
  const Prompts rows = random_rows({4, 7});
  const at::Tensor whole = lab.session.capture(rows, "blocks.1.attn.hook_z", {}, {})["blocks.1.attn.hook_z"];
  const Where where{.positions = {-1, 0, 5}, .heads = {3, -4}};
  const at::Tensor some = lab.session.capture(rows, "blocks.1.attn.hook_z", where, {})["blocks.1.attn.hook_z"];
  ASSERT_EQ(some.sizes(), at::IntArrayRef({2, 3, 2, 5}));
  EXPECT_EQ(difference(some[0][0][0], whole[0][3][3]), 0);
  EXPECT_EQ(difference(some[1][0][1], whole[1][6][0]), 0);
  EXPECT_EQ(difference(some[1][2][0], whole[1][5][3]), 0);
  EXPECT_TRUE(some[0][2].isnan().all().item<bool>());  // row 0 has no position 5
  const at::Tensor pattern =
      lab.session.capture(rows, "blocks.0.attn.hook_pattern", {}, {})["blocks.0.attn.hook_pattern"];
  const at::Tensor entry =
      lab.session.capture(rows, "blocks.0.attn.hook_pattern", {.positions = {-1}, .heads = {2}, .sources = {1}},
                          {})["blocks.0.attn.hook_pattern"];
  ASSERT_EQ(entry.sizes(), at::IntArrayRef({2, 1, 1, 1}));
  EXPECT_EQ(difference(entry[1][0][0][0], pattern[1][2][6][1]), 0);
}

TEST(Capture, RowInvariants) {
  Lab lab;
  const Prompts rows = random_rows({7, 7});
  const Capture seen = lab.session.capture(rows, {"blocks.*.attn.*", "blocks.*.hook_*"}, {}, {});
  for (Index layer = 0; layer < 3; ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".";
    const at::Tensor pattern = seen[block + "attn.hook_pattern"];
    EXPECT_LT((pattern.sum(-1) - 1).abs().max().item<double>(), 1e-6);
    EXPECT_EQ(pattern.triu(1).abs().max().item<double>(), 0);  // nothing after the query
    EXPECT_LT(difference(seen[block + "attn.hook_result"].sum(2) + lab.model->parameters().canonical("b_O", layer),
                         seen[block + "hook_attn_out"]),
              1e-5);
    EXPECT_LT(
        difference(seen[block + "hook_resid_pre"] + seen[block + "hook_attn_out"], seen[block + "hook_resid_mid"]),
        1e-6);
    EXPECT_LT(
        difference(seen[block + "hook_resid_mid"] + seen[block + "hook_mlp_out"], seen[block + "hook_resid_post"]),
        1e-6);
    if (layer == 0) continue;
    EXPECT_EQ(
        difference(seen[block + "hook_resid_pre"], seen["blocks." + std::to_string(layer - 1) + ".hook_resid_post"]),
        0);
  }
}

TEST(Capture, ValuesAreSnapshots) {
  Lab lab;
  const Prompts rows = random_rows({5, 5});
  const Capture seen = lab.session.capture(
      rows, {"blocks.0.hook_resid_post", "blocks.1.hook_resid_pre", "blocks.1.attn.hook_q"}, {}, {});
  const at::Tensor before = seen["blocks.1.hook_resid_pre"].clone(), resid = seen.resid().clone();
  at::Tensor alias = seen["blocks.0.hook_resid_post"];
  alias.zero_();
  EXPECT_EQ(difference(seen["blocks.1.hook_resid_pre"], before), 0);
  EXPECT_EQ(difference(lab.session.capture(rows, {}, {}, {}).resid(), resid), 0);
}

TEST(Capture, EditsThatChangeNothingLeaveLogitsBitEqualAndAreRecorded) {
  Lab lab;
  const Prompts rows = random_rows({5, 8});
  const at::Tensor base = lab.session.capture(rows, {}, {}, {}).logits();
  for (HookId id = 0; id < lab.model->hooks().size(); ++id) {
    const HookPoint& point = lab.model->hooks()[id];
    const Edits edits = Edits().at(HookSet(std::string(point.name)),
                                   Change::custom([](const Tensor& value, const HookPoint&) { return value.clone(); }));
    lab.monitor.events.clear();
    const at::Tensor same = lab.session.capture(rows, {}, {}, edits).logits();
    const bool split = point.name.find("_input") != Text::npos || point.name.find("attn_in") != Text::npos ||
                       point.name.find("result") != Text::npos;
    if (split) {
      EXPECT_LT(difference(same, base), 1e-5) << point.name;  // these take other kernels
    } else {
      EXPECT_TRUE(at::equal(same.nan_to_num(0), base.nan_to_num(0))) << point.name;
    }
    ASSERT_EQ(lab.monitor.events.size(), 1u) << point.name;
    EXPECT_EQ(lab.monitor.events[0].second, "edit 1 fired but changed no bit");
  }
}

TEST(Capture, EveryHookMovesTheLogitsWhenItIsEditedByNoise) {
  Lab lab;
  const Prompts rows = random_rows({5, 8});
  const at::Tensor base = lab.session.capture(rows, {}, {}, {}).logits();
  for (HookId id = 0; id < lab.model->hooks().size(); ++id) {
    const HookPoint& point = lab.model->hooks()[id];
    const Edits edits =
        Edits().at(HookSet(std::string(point.name)), Change::custom([](const Tensor& value, const HookPoint&) {
                     return value + at::randn(value.sizes(), at::detail::createCPUGenerator(4), at::kFloat);
                   }));
    EXPECT_GT(difference(lab.session.capture(rows, {}, {}, edits).logits(), base), 1e-3) << point.name;
  }
}

TEST(Capture, MistakesAreSentences) {
  Lab lab;
  const Prompts rows = random_rows({3, 3});
  const auto edited = [&](EditFn edit, const char* hook = "blocks.1.hook_resid_pre") {
    Edits edits;
    edits.at("blocks.0.hook_resid_pre", Change::scale(1.0)).at(hook, Change::custom(std::move(edit)));
    return error_of([&] { lab.session.capture(rows, {}, {}, edits); });
  };
  EXPECT_EQ(edited([](const Tensor& value, const HookPoint&) { return value.narrow(2, 0, 7); }),
            "failed at hook 'blocks.1.hook_resid_pre' (edit 2): it returned [2, 3, 7] where [2, 3, 20] is required.");
  EXPECT_EQ(edited([](const Tensor& value, const HookPoint&) { return value.to(at::kDouble); }),
            "failed at hook 'blocks.1.hook_resid_pre' (edit 2): it returned Double where Float is required.");
  EXPECT_EQ(edited([](const Tensor& value, const HookPoint&) { return at::Tensor(value).mul_(2); }),
            "failed at hook 'blocks.1.hook_resid_pre' (edit 2): it changed its argument in place; return a new tensor "
            "instead.");
  EXPECT_EQ(edited([](const Tensor&, const HookPoint&) -> Tensor { throw Error("no such direction"); }),
            "failed at hook 'blocks.1.hook_resid_pre' (edit 2): no such direction");
  EXPECT_THAT(edited([&](const Tensor& value, const HookPoint&) {
                lab.session.capture(rows, {}, {}, {});
                return value;
              }),
              HasSubstr("a forward was asked for inside a forward"));

  EXPECT_EQ(error_of([&] {
              lab.session.capture(
                  rows, {}, {}, Edits().at("blocks.1.hook_resid_pre", Change::zero(), {.positions = {5, 6, 7, 8, 9}}));
            }),
            "edit 1 of kind 'trial' at 'blocks.1.hook_resid_pre' selects positions 5..9 of a 3 token prompt and would "
            "never fire; correct the positions.");
  EXPECT_THAT(error_of([&] { lab.session.capture(rows, "blocks.0.hook_resid_pre", {.heads = {0}}, {}); }),
              HasSubstr("heads were selected at 'blocks.0.hook_resid_pre', which has none"));
  EXPECT_THAT(error_of([&] { lab.session.capture(rows, "blocks.0.attn.hook_z", {.heads = {4}}, {}); }),
              HasSubstr("head 4 is out of range: tiny has heads 0..3"));
  EXPECT_THAT(error_of([&] { lab.session.capture(rows, "blocks.0.hook_resid_pst", {}, {}); }),
              HasSubstr("did you mean 'blocks.*.hook_resid_post'"));
  const int before = lab.monitor.forwards;
  EXPECT_THAT(
      error_of([&] { lab.session.capture(rows, {}, {}, Edits().at("blocks.*.hook_resid_pst", Change::zero())); }),
      HasSubstr("did you mean"));
  EXPECT_EQ(lab.monitor.forwards, before);
  EXPECT_THAT(error_of([&] {
                lab.session.capture(rows, {}, {},
                                    Edits().at("blocks.0.hook_resid_pre", Change::replace(at::zeros({7}))));
              }),
              HasSubstr("a tensor [7] was given for 'blocks.0.hook_resid_pre', whose selected part is [2, 3, 20]"));
  EXPECT_THAT(error_of([&] {
                lab.session.capture(rows, {}, {}, Edits().at("blocks.0.hook_resid_pre", Change::scale({{1.0, 2.0}})));
              }),
              HasSubstr("takes one of Edits::cells()"));
  lab.monitor.stop = true;
  EXPECT_THROW(lab.session.capture(rows, {}, {}, {}), Stopped);
}

// Under split inputs each head normalises for itself, in every layer: the shared norm has no readers there.
TEST(Capture, RefusesEditsOfANormThatNobodyReads) {
  Lab lab;
  const Prompts rows = random_rows({3, 4});
  for (const char* norm : {"blocks.1.ln1.hook_scale", "blocks.1.ln1.hook_normalized"}) {
    for (const char* input : {"blocks.1.hook_attn_in", "blocks.0.hook_q_input", "blocks.2.hook_v_input"}) {
      const Edits both = Edits().at(input, Change::scale(2.0)).at(norm, Change::scale(0.5));
      const std::string error = error_of([&] { lab.session.capture(rows, {}, {}, both); });
      EXPECT_THAT(error, HasSubstr(std::string("edit 2 at '") + norm + "' would change nothing")) << input;
      EXPECT_THAT(error_of([&] { lab.session.capture(rows, input, {}, Edits().at(norm, Change::scale(0.5))); }),
                  HasSubstr("edit q, k and v instead"));
    }
    EXPECT_EQ(error_of([&] { lab.session.capture(rows, norm, {}, Edits().at(norm, Change::scale(0.5))); }), "no error");
  }
}

TEST(Capture, WhatDoesNotFitSaysSoBeforeRunning) {
  Lab lab({.kind = "trial", .memory_budget = 100000});
  const Prompts rows = random_rows(std::vector<Index>(40, 16));
  const std::string error = error_of([&] {
    lab.session.capture(rows, {"blocks.*.hook_resid_pre", "blocks.*.attn.hook_pattern"}, {}, {});
  });
  EXPECT_THAT(error, HasSubstr("the captured values take 645.1 kB (largest: blocks.*.attn.hook_pattern 491.5 kB and "
                               "blocks.*.hook_resid_pre 153.6 kB), but the memory budget is 100.0 kB"));
  EXPECT_EQ(lab.monitor.forwards, 0);
}

TEST(Capture, BatchesOfOneCallAreJoined) {
  Lab lab, tight({.kind = "trial", .memory_budget = 300000});
  const Prompts rows = random_rows({9, 3, 16, 5, 7, 16, 2});
  const Where last{.positions = {-1}};
  const Capture a = lab.session.capture(rows, "blocks.*.hook_resid_post", last, {}),
                b = tight.session.capture(rows, "blocks.*.hook_resid_post", last, {});
  EXPECT_GT(tight.monitor.forwards, 1);
  EXPECT_LT(difference(a["blocks.1.hook_resid_post"], b["blocks.1.hook_resid_post"]), 1e-5);
  EXPECT_LT(difference(a.logits(), b.logits()), 1e-5);
}

}  // namespace
}  // namespace diopter::engine::testing
