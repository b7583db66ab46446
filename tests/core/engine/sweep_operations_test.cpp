// What a sweep counts as its operations, against what is necessary by reasoning from tokens, positions and windows.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/engine/necessary_operations.hpp"
#include "core/engine/support.hpp"
#include "core/model/block_kinds.hpp"

namespace diopter::engine::testing {
namespace {

std::vector<Index> up_to(Index end) {
  std::vector<Index> all(static_cast<std::size_t>(end));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

// ---- the count itself, by hand

// d_model 4, 2 heads of 2, 8 neurons, 2 layers.
ModelInfo minute() {
  ModelInfo info;
  info.n_layers = 2;
  info.n_heads = info.n_kv_heads = 2;
  info.d_model = 4;
  info.d_head = 2;
  info.d_mlp = 8;
  return info;
}
constexpr double kQ = 2 * 4 * 4, kK = kQ, kV = kQ, kO = kQ, kMlp = 2 * (2 * 4 * 8), kPair = 2 * 4;  // both heads

TEST(NecessaryOperations, AStreamThatIsNewTakesAllAfterIt) {
  const NecessaryOperations of(minute(), {.into = {5, 6, 7}, .donor = {}, .read = {2}});
  // Layer 1, read at 2: keys and values of 1; the query at 2 is the base run's.
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 1, .positions = {1}}), kK + kV + 3 * 2 * kPair + kO + kMlp);
  // There at what is read: its query too.
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 1, .positions = {2}}), kQ + kK + kV + 3 * 2 * kPair + kO + kMlp);
  // Layer 0 at 1: 1 and 2 are attended again; then keys and values of both, the rest at 2.
  const double layer_0 = kQ + kK + kV + (2 + 3) * 2 * kPair + 2 * (kO + kMlp);
  const double layer_1 = 2 * (kK + kV) + kQ + 3 * 2 * kPair + kO + kMlp;
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 0, .positions = {1}}), layer_0 + layer_1);
  EXPECT_EQ(of({.point = Point::Embed, .layer = 0, .positions = {1}}), layer_0 + layer_1);
}

TEST(NecessaryOperations, ADonorsVectorHasItsKeysAndQueries) {
  const NecessaryOperations of(minute(), {.into = {5, 6, 7}, .donor = {5, 8, 7}, .read = {2}});
  // 1 is the first that differs: all it sees is equal, so it stays the donor's in every layer.
  const double layer_0 = 3 * 2 * kPair + kO + kMlp, layer_1 = kK + kV + kQ + 3 * 2 * kPair + kO + kMlp;
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 1, .positions = {1}}), 3 * 2 * kPair + kO + kMlp);
  // In layer 0 position 2 has the donor's token: the whole run is the donor's.
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 0, .positions = {1}}), 0);
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 0, .positions = {2}}), 0);  // equal tokens
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 1, .positions = {0}}), 0);
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 1}), 0);  // everywhere: the donor's run
  const NecessaryOperations two(minute(), {.into = {5, 6, 7}, .donor = {5, 8, 9}, .read = {2}});
  EXPECT_EQ(two({.point = Point::ResidPre, .layer = 0, .positions = {1}}), layer_0 + layer_1);
}

TEST(NecessaryOperations, AChangeInsideABlockEntersWhereItStands) {
  const NecessaryOperations of(minute(), {.into = {5, 6, 7}, .donor = {5, 8, 7}, .read = {2}});
  const auto at = [&](Point point, std::vector<Index> positions, std::vector<Index> heads = {}) {
    return of({.point = point, .layer = 0, .positions = std::move(positions), .heads = std::move(heads)});
  };
  const double after_1 = 2 * (kK + kV) + kQ + 3 * 2 * kPair + kO + kMlp;  // new streams at 1 and 2
  const double at_1 = kK + kV + 3 * 2 * kPair + kO + kMlp;                // at 1 alone, which 2 sees
  const double at_2 = kK + kV + kQ + 3 * 2 * kPair + kO + kMlp;
  EXPECT_EQ(at(Point::Z, {1}, {0}), kO / 2 + kMlp + at_1);
  EXPECT_EQ(at(Point::Z, {2}, {0}), kO / 2 + kMlp + at_2);
  EXPECT_EQ(at(Point::Z, {}, {1}), 2 * (kO / 2 + kMlp) + after_1);  // 0 is equal
  EXPECT_EQ(at(Point::Q, {1}, {0}), 2 * 2 * kPair / 2 + kO / 2 + kMlp + at_1);
  EXPECT_EQ(at(Point::Q, {2}, {0}), 0);  // the donor's token: the donor's query
  // Column 1 of the scores of 1 and 2, then their sums over 2 and 3 values.
  EXPECT_EQ(at(Point::K, {1}, {0}), (1 + 2 + 1 + 3) * kPair / 2 + 2 * (kO / 2 + kMlp) + after_1);
  EXPECT_EQ(at(Point::V, {1}, {0}), (1 + 1) * kPair / 2 + 2 * (kO / 2 + kMlp) + after_1);
  EXPECT_EQ(at(Point::Pattern, {2}, {0}), 3 * kPair / 2 + kO / 2 + kMlp + at_2);
  EXPECT_EQ(of({.point = Point::Pattern, .layer = 0, .positions = {2}, .heads = {0}, .sources = {1}}),
            kPair / 2 + kO / 2 + kMlp + at_2);
  EXPECT_EQ(of({.point = Point::Pattern, .layer = 0, .positions = {1}, .heads = {0}, .sources = {2}}), 0);
  EXPECT_EQ(at(Point::AttnOut, {1}), kMlp + at_1);
  EXPECT_EQ(at(Point::MlpOut, {1}), at_1);
  EXPECT_EQ(of({.point = Point::MlpPost, .layer = 0, .positions = {1}, .neurons = 1}), 2 * 4 + at_1);
  // The donor's stream: its keys and values are at hand.
  EXPECT_EQ(at(Point::ResidMid, {1}), 3 * 2 * kPair + kO + kMlp);
  EXPECT_EQ(at(Point::ResidPost, {1}), 3 * 2 * kPair + kO + kMlp);
  EXPECT_EQ(at(Point::ResidPost, {}), 0);
}

TEST(NecessaryOperations, BlocksSideBySideReadTheStreamBefore) {
  ModelInfo info = minute();
  info.parallel_block = true;
  const NecessaryOperations of(info, {.into = {5, 6, 7}, .donor = {}, .read = {2}});
  // Only the new stream at 1 passes an MLP; 2 is attended again and keeps its own.
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 1, .positions = {1}}), kK + kV + 3 * 2 * kPair + kO);
  EXPECT_EQ(of({.point = Point::AttnOut, .layer = 1, .positions = {2}}), 0);
  EXPECT_EQ(of({.point = Point::MlpIn, .layer = 1, .positions = {2}}), kMlp);
}

TEST(NecessaryOperations, WindowsAndGroupsBoundWhatIsSeen) {
  ModelInfo info = minute();
  info.n_kv_heads = 1;
  info.gated_mlp = true;
  info.windows = {2, 2};
  const NecessaryOperations of(info, {.into = {5, 6, 7, 8, 9}, .donor = {}, .read = {4}});
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 1, .positions = {2}}), 0);  // 4 sees 3 and 4
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 0, .positions = {1}}), 0);
  const double gated = kMlp * 3 / 2;
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 1, .positions = {3}}), (kK + kV) / 2 + 2 * 2 * kPair + kO + gated);
  // Layer 0 at 2: 3 is attended again, 2 itself nobody needs there; then 4 sees 3.
  EXPECT_EQ(of({.point = Point::ResidPre, .layer = 0, .positions = {2}}),
            (kK + kV) / 2 + 2 * 2 * kPair + kO + gated + (kK + kV) / 2 + 2 * 2 * kPair + kO + gated);
}

TEST(NecessaryOperations, WhatIsReadIsUnembedded) {
  const SweptRow read{.into = {5, 6, 7}, .donor = {5, 8, 7}, .read = {1, 2}, .columns = 10};
  const NecessaryOperations of(minute(), read);
  constexpr double kLogits = 2 * 4 * 10;
  EXPECT_EQ(of({.point = Point::ResidPost, .layer = 1, .positions = {2}}), 0);  // the donor's: its logits are at hand
  EXPECT_EQ(of({.point = Point::MlpOut, .layer = 1, .positions = {0}}), 0);
  EXPECT_EQ(of({.point = Point::MlpOut, .layer = 1, .positions = {2}}), kLogits);
  EXPECT_EQ(of({.point = Point::MlpOut, .layer = 1}), 2 * kLogits);
  EXPECT_EQ(of({.point = Point::AttnOut, .layer = 1, .positions = {2}}), kMlp + kLogits);
  SweptRow unread = read;
  unread.columns = 0;
  EXPECT_EQ(of.run(), NecessaryOperations(minute(), unread).run() + 2 * kLogits);
}

TEST(NecessaryOperations, ARunOfItsOwn) {
  const NecessaryOperations of(minute(), {.into = {5, 6}, .donor = {}, .read = {1}});
  const double layer_0 = 2 * (kQ + kK + kV + kO + kMlp) + (1 + 2) * 2 * kPair;
  EXPECT_EQ(of.run(), layer_0 + 2 * (kK + kV) + kQ + 2 * 2 * kPair + kO + kMlp);
  EXPECT_EQ(of.run(1), kQ + kK + kV + kO + kMlp + 2 * 2 * kPair + kK + kV + kQ + 2 * 2 * kPair + kO + kMlp);
}

// ---- GPT-2 small, 8 prompts of 15 tokens read at their last

enum class Differ { AtTen, AllButBos, Everywhere };

SweptRow row_of(Differ differ, Index length) {
  SweptRow row{.into = up_to(length), .donor = up_to(length), .read = {length - 1}, .columns = 2};  // logit_diff
  for (Index pos = 0; pos < length; ++pos) {
    const bool other = differ == Differ::Everywhere || (differ == Differ::AllButBos && pos > 0) ||
                       (differ == Differ::AtTen && pos == 10);
    row.donor[static_cast<std::size_t>(pos)] += other ? 100 : 0;
  }
  return row;
}

double gpt2_gflop(Differ differ, Point point, bool by_position) {
  ModelInfo info;
  info.n_layers = info.n_heads = info.n_kv_heads = 12;
  info.d_model = 768;
  info.d_head = 64;
  info.d_mlp = 3072;
  std::vector<SweptCell> cells;
  for (Index layer = 0; layer < 12; ++layer) {
    for (Index head = 0; head < (point == Point::Z ? 12 : 1); ++head) {
      for (Index pos = 0; pos < (by_position ? 15 : 1); ++pos) {
        SweptCell cell{.point = point, .layer = layer};
        if (by_position) cell.positions = {pos};
        if (point == Point::Z) cell.heads = {head};
        cells.push_back(cell);
      }
    }
  }
  return 8 * necessary_operations(info, {row_of(differ, 15)}, cells) / 1e9;
}

// Cells alone: base and donor run, 20 GFLOP each where they share nothing, stand beside them.
TEST(NecessaryOperations, OfGpt2Small) {
  const auto expect = [](const char* what, double goal, double got) {
    fmt::print("{:<40} {:8.1f} GFLOP ({:+.2f} %)\n", what, got, 100 * (got / goal - 1));
    EXPECT_NEAR(got, goal, 0.01 * goal) << what;
  };
  expect("resid_pre by position, late", 91, gpt2_gflop(Differ::AtTen, Point::ResidPre, true));
  expect("resid_pre by position, all but BOS", 784, gpt2_gflop(Differ::AllButBos, Point::ResidPre, true));
  expect("resid_pre by position, all different", 896, gpt2_gflop(Differ::Everywhere, Point::ResidPre, true));
  expect("z of heads, late", 451, gpt2_gflop(Differ::AtTen, Point::Z, false));
  expect("z of heads, all but BOS", 1238, gpt2_gflop(Differ::AllButBos, Point::Z, false));
  expect("z of heads, all different", 1325, gpt2_gflop(Differ::Everywhere, Point::Z, false));
  expect("z of heads by position, late", 1239, gpt2_gflop(Differ::AtTen, Point::Z, true));
  expect("z of heads by position, all but BOS", 8113, gpt2_gflop(Differ::AllButBos, Point::Z, true));
  expect("z of heads by position, all different", 9246, gpt2_gflop(Differ::Everywhere, Point::Z, true));
}

// ---- what the engine counts

constexpr Index kLength = 12, kPrompts = 4;

ModelInfo sequential() {
  ModelInfo info = model::testing::tiny_info();
  info.n_layers = 4;
  info.d_model = 64;
  info.d_mlp = 256;
  info.d_vocab = 300;
  return model::testing::with_heads(std::move(info), 4, 16);
}

struct Kind {
  const char* name;
  ModelInfo info;
};
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = {{"sequential", sequential()},
                                           {"side by side", model::testing::side_by_side(sequential())},
                                           {"grouped, windows", model::testing::grouped_in_windows(sequential(), 5)}};
  return kKinds;
}

struct Tokens {
  const char* name;
  Differ differ;
};
constexpr Tokens kTokens[] = {
    {"late", Differ::AtTen}, {"all but BOS", Differ::AllButBos}, {"all different", Differ::Everywhere}};

// The axes that make sense at a point; every index of each, of neurons one in forty.
struct Walk {
  std::vector<Axis> axes;
  std::vector<SweptCell> cells;
};

Walk walk_of(const HookTable& hooks, Point point, const ModelInfo& info, bool by_position) {
  const HookPoint& named = hooks[hooks.id(point, 0)];
  const auto has = [&](Text dim) { return std::find(named.dims.begin(), named.dims.end(), dim) != named.dims.end(); };
  Walk walk{.axes = {}, .cells = {{.point = point}}};
  const auto times = [&](Axis axis, std::vector<Index> indices, const auto& put) {
    std::vector<SweptCell> all;
    for (const SweptCell& cell : walk.cells) {
      for (const Index index : indices) put(all.emplace_back(cell), index);
    }
    walk.cells = std::move(all);
    walk.axes.push_back(std::move(axis));
  };
  if (named.layer >= 0)
    times({"layer"}, up_to(info.n_layers), [](SweptCell& cell, Index layer) { cell.layer = layer; });
  if (has("head")) times({"head"}, up_to(info.n_heads), [](SweptCell& cell, Index head) { cell.heads = {head}; });
  if (has("kv_head"))
    times({"kv_head"}, up_to(info.n_kv_heads), [](SweptCell& cell, Index head) { cell.heads = {head}; });
  if (has("neuron")) times({"neuron", {3, 40}}, {3, 40}, [](SweptCell& cell, Index) { cell.neurons = 1; });
  if (by_position)
    times({has("src") ? "dest" : "pos"}, up_to(kLength), [](SweptCell& cell, Index pos) { cell.positions = {pos}; });
  if (by_position && has("src"))
    times({"src"}, up_to(kLength), [](SweptCell& cell, Index src) { cell.sources = {src}; });
  return walk;
}

class SweepOperations : public ::testing::TestWithParam<Kind> {
 protected:
  // Counted / necessary; 0 of 0 is 1.
  static double ratio(double counted, double necessary) {
    return necessary == 0 && counted == 0 ? 1 : counted / necessary;
  }

  struct Result {
    double necessary, counted;
  };

  struct Asked {
    Tokens tokens;
    Point point;
    bool by_position, donor;
    const char* metric = "logit_diff";
  };

  static Result measured(Lab& lab, const Asked& asked) {
    const auto [tokens, point, by_position, donor, metric] = asked;
    SweptRow row = row_of(tokens.differ, kLength);
    if (Text(metric) != "logit_diff") row.columns = lab.info().d_vocab;
    std::vector<SweptRow> rows;
    at::Tensor into = at::empty({kPrompts, kLength}, at::kLong), other = at::empty_like(into);
    for (Index prompt = 0; prompt < kPrompts; ++prompt) {
      into.select(0, prompt).copy_(ints(row.into) + 20 * prompt);
      other.select(0, prompt).copy_(ints(row.donor) + 20 * prompt);
      rows.push_back(row);
      if (!donor) rows.back().donor.clear();
    }
    const Prompts prompts = with_answers(Prompts::tokens(into), 300).with("corrupted", other);
    const HookTable& hooks = lab.model->hooks();
    const Walk walk = walk_of(hooks, point, lab.info(), by_position);
    const std::string name(hooks[hooks.id(point, 0)].name);
    const Cells cells =
        lab.session.sweep({.into = prompts.clean(),
                           .hooks = HookSet(name.starts_with("blocks.0.") ? "blocks.{layer}." + name.substr(9) : name),
                           .axes = walk.axes,
                           .change = donor ? Change::replace(prompts.corrupted()) : Change::scale(0.5),
                           .metrics = {Metric::named(metric)}});
    EXPECT_EQ(cells.counts().cells, static_cast<Index>(walk.cells.size()));
    return {necessary_operations(lab.info(), rows, walk.cells), cells.counts().operations};
  }

  static void expect(Lab& lab, const Asked& asked) {
    const auto [necessary, counted] = measured(lab, asked);
    const double share = ratio(counted, necessary);
    const std::string what =
        fmt::format("{} {}{}{} {}", asked.tokens.name, lab.model->hooks()[lab.model->hooks().id(asked.point, 0)].name,
                    asked.by_position ? " by position" : "", asked.donor ? "" : " halved", asked.metric);
    fmt::print("{:<72} {:9.2f} MFLOP necessary {:9.2f} counted  {:.3f}\n", what, necessary / 1e6, counted / 1e6, share);
    EXPECT_LE(share, 1.1) << what;
    EXPECT_GE(share, 0.7) << what;
  }
};

TEST_P(SweepOperations, AreThoseThatAreNecessary) {
  Lab lab({.kind = "trial"}, 1, GetParam().info);
  const HookTable& hooks = lab.model->hooks();
  fmt::print("{}\n", GetParam().name);
  for (const Point point : {Point::Embed,    Point::ResidPre,
                            Point::AttnIn,   Point::QInput,
                            Point::KInput,   Point::VInput,
                            Point::Ln1Scale, Point::Ln1Normalized,
                            Point::Q,        Point::K,
                            Point::V,        Point::RotQ,
                            Point::RotK,     Point::AttnScores,
                            Point::Pattern,  Point::Z,
                            Point::Result,   Point::AttnOut,
                            Point::ResidMid, Point::MlpIn,
                            Point::Ln2Scale, Point::Ln2Normalized,
                            Point::MlpPre,   Point::MlpPreLinear,
                            Point::MlpPost,  Point::MlpOut,
                            Point::ResidPost}) {
    if (hooks.id(point, 0) == kNoHook) continue;
    for (const Tokens& tokens : kTokens) {
      expect(lab, {.tokens = tokens, .point = point, .by_position = true, .donor = true});
      expect(lab, {.tokens = tokens, .point = point, .by_position = false, .donor = true});
    }
    expect(lab, {.tokens = kTokens[0], .point = point, .by_position = true, .donor = false});
    for (const char* metric : {"kl_to_clean", "rank"})
      expect(lab, {.tokens = kTokens[0], .point = point, .by_position = true, .donor = true, .metric = metric});
  }
}

std::string kind_name(const ::testing::TestParamInfo<Kind>& which) {
  std::string name = which.param.name;
  std::erase_if(name, [](char c) { return c == ' ' || c == ','; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(Blocks, SweepOperations, ::testing::ValuesIn(kinds()), kind_name);

}  // namespace
}  // namespace diopter::engine::testing
