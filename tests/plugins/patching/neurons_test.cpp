// Attributions against runs in which nothing but the direct path moves, and exact effects against plain sweeps, in
// blocks of four kinds.
#include "neurons.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attribution.hpp"
#include "candidates.hpp"
#include "core/engine/by_hand.hpp"
#include "core/model/block_kinds.hpp"
#include "plugins/patching/kind_bench.hpp"

namespace diopter::patching::testing {
namespace {

using engine::testing::difference;
using engine::testing::error_of;
using engine::testing::ints;
using engine::testing::random_pairs;
using engine::testing::row_ids;
using engine::testing::run_by_hand;
using model::testing::gated;
using model::testing::post_norms;
using model::testing::side_by_side;
using ::testing::HasSubstr;

ModelInfo sequential() {
  ModelInfo info = model::testing::tiny_info();
  info.n_layers = 2;
  info.d_mlp = 12;
  return info;
}

// Whole heads of an even size, for rotations.
ModelInfo even_heads() { return model::testing::with_heads(sequential(), 4, 4); }

Values params(Values changed = {}) {
  Values values = {{"layers", std::vector<Index>{0, 1}},
                   {"top", Index{6}},
                   {"control", Index{4}},
                   {"score", std::string("direct")},
                   {"positions", std::string("read")},
                   {"direction", std::string("denoise")},
                   {"replace_by", std::string("donor")},
                   {"metrics", std::vector<Metric>{normalised("logit_diff")}},
                   {"at", Positions::last()},
                   {"intervals", 0.0},
                   {"bootstrap", Index{200}},
                   {"keep_prompts", false}};
  for (auto& [name, value] : changed) values[name] = std::move(value);
  return values;
}

// What the position holds instead, [neuron].
at::Tensor new_values(const Lab& lab, const Prompts& base, const Prompts& donor, const std::string& replace_by,
                      HookId id, Index row) {
  const Index last = row_ids(base, row).size(1) - 1;
  if (replace_by == "zero") return at::zeros({lab.info().d_mlp});
  if (replace_by == "donor") return run_by_hand(*lab.model, row_ids(donor, row)).values.at(id)[0][last];
  at::Tensor sum = at::zeros({lab.info().d_mlp});
  double rows = 0;
  for (Index other = 0; other < base.size(); ++other) {
    const at::Tensor ids = row_ids(base, other);
    if (ids.size(1) <= last) continue;
    sum += run_by_hand(*lab.model, ids).values.at(id)[0][last];
    ++rows;
  }
  return sum / rows;
}

// The logit difference gained at the last token when one neuron has its new value there, everything else held at what
// it is in the plain run: what other layers write, and the scales of the norms behind.
double by_direct_path(const Lab& lab, const at::Tensor& ids, Index layer, Index neuron, double value, Index row) {
  const model::Transformer& model = *lab.model;
  const auto plain = run_by_hand(model, ids);
  const Index last = ids.size(1) - 1;
  std::map<HookId, std::function<at::Tensor(const at::Tensor&)>> edits;
  const auto hold = [&](const std::string& name) {
    if (const auto id = model.hooks().find(name))
      edits[*id] = [kept = plain.values.at(*id)](const at::Tensor&) { return kept; };
  };
  for (Index later = layer; later < lab.info().n_layers; ++later) {
    const std::string block = "blocks." + std::to_string(later);
    hold(block + ".hook_attn_out");
    if (later > layer) hold(block + ".hook_mlp_out");
  }
  hold("blocks." + std::to_string(layer) + ".ln2_post.hook_scale");
  hold("ln_final.hook_scale");
  edits[*model.hooks().find(post_hook(layer))] = [&](const at::Tensor& post) {
    at::Tensor out = post.clone();
    out[0][last][neuron] = value;
    return out;
  };
  const Index answer = (row * 5 + 3) % 31, foil = (row * 7 + 11) % 31;
  return engine::testing::logit_diff(run_by_hand(model, ids, std::move(edits)).logits, answer, foil) -
         engine::testing::logit_diff(plain.logits, answer, foil);
}

void attributions_equal_the_direct_path(const ModelInfo& info, const std::string& replace_by, const char* name) {
  Lab lab({.kind = "trial"}, 1, info);
  const Prompts pairs = random_pairs({5, 3, 6, 5}, 1);
  Bench bench(lab, pairs, params({{"replace_by", replace_by}}));
  const KeptLog& log = bench.run(Neurons());
  const Prompts base = pairs.corrupted(), donor = pairs.clean();
  double largest = 0, size = 0;
  for (Index layer = 0; layer < info.n_layers; ++layer) {
    const HookId id = *lab.model->hooks().find(post_hook(layer));
    at::Tensor expected = at::zeros({info.d_mlp}, at::kDouble);
    for (Index row = 0; row < base.size(); ++row) {
      const at::Tensor values = new_values(lab, base, donor, replace_by, id, row);
      for (Index neuron = 0; neuron < info.d_mlp; ++neuron) {
        expected[neuron] += by_direct_path(lab, row_ids(base, row), layer, neuron, values[neuron].item<double>(), row) /
                            static_cast<double>(base.size());
      }
    }
    largest = std::max(largest, difference(log["attribution"][layer], expected));
    size = std::max(size, expected.abs().max().item<double>());
  }
  EXPECT_LT(largest, 1e-5 * std::max(1.0, size)) << name << " " << replace_by;
  EXPECT_GT(size, 0.01);
  printf("%-12s %-5s attributions up to %.2g, largest difference to the frozen runs %.2g\n", name, replace_by.c_str(),
         size, largest);
}

TEST(Attribution, IsWhatTheDirectPathGains) {
  const std::pair<const char*, ModelInfo> kinds[] = {{"sequential", sequential()},
                                                     {"side by side", side_by_side(even_heads())},
                                                     {"gated", gated(even_heads())},
                                                     {"post norms", post_norms(even_heads())}};
  for (const auto& [name, info] : kinds) {
    for (const char* replace_by : {"donor", "zero", "mean"}) attributions_equal_the_direct_path(info, replace_by, name);
  }
}

// In closed form: the formula of the header, entry by entry, with the metric at two positions.
TEST(Attribution, IsItsFormula) {
  Lab lab({.kind = "trial"}, 3, sequential());
  const Prompts pairs = random_pairs({5, 4, 6}, 0);
  Bench bench(lab, pairs, params({{"at", Positions({1, -1})}, {"direction", std::string("noise")}}));
  const at::Tensor attribution = bench.run(Neurons())["attribution"];
  const model::Parameters& weights = lab.model->parameters();
  const at::Tensor unembed = weights.canonical("W_U", kUnset), gain = weights.canonical("ln_final_w", kUnset);
  double largest = 0;
  for (Index layer = 0; layer < 2; ++layer) {
    const HookId post = *lab.model->hooks().find(post_hook(layer)),
                 scale = *lab.model->hooks().find("ln_final.hook_scale");
    for (Index neuron = 0; neuron < 12; ++neuron) {
      double mean = 0;
      for (Index row = 0; row < 3; ++row) {
        const auto base = run_by_hand(*lab.model, row_ids(pairs.clean(), row)),
                   donor = run_by_hand(*lab.model, row_ids(pairs.corrupted(), row));
        at::Tensor u = (unembed.select(1, (row * 5 + 3) % 31) - unembed.select(1, (row * 7 + 11) % 31)) * gain;
        u = u - u.mean();
        const double along = weights.canonical("W_out", layer)[neuron].dot(u).item<double>();
        for (const Index pos : {Index{1}, row_ids(pairs.clean(), row).size(1) - 1}) {
          mean += (donor.values.at(post)[0][pos][neuron] - base.values.at(post)[0][pos][neuron]).item<double>() *
                  along / base.values.at(scale)[0][pos][0].item<double>() / 6;
        }
      }
      largest = std::max(largest, std::abs(attribution[layer][neuron].item<double>() - mean));
    }
  }
  EXPECT_LT(largest, 1e-5);
}

TEST(Attribution, CountsPromptsWithoutCounterpartAsNothing) {
  Lab lab({.kind = "trial"}, 1, sequential());
  // The last token of row 1 belongs to nothing in its donor.
  const Prompts plain = random_pairs({4, 4}, 1);
  at::Tensor map = at::arange(4).repeat({2, 1});
  map[1][3] = kUnset;
  const Prompts pairs = plain.with("map", map);
  Bench both(lab, pairs, params()), first(lab, plain.select(ints({0})), params());
  const at::Tensor halves = both.run(Neurons())["attribution"], whole = first.run(Neurons())["attribution"];
  EXPECT_LT(difference(halves * 2, whole), 1e-6);
  EXPECT_LT(difference(both.kept["value/logit_diff"][0], first.kept["value/logit_diff"][0]), 1e-5);
  EXPECT_LT(difference(both.kept["joint_value/logit_diff"], first.kept["joint_value/logit_diff"]), 1e-5);
}

struct Patch {
  Index layer, neuron;
  std::string group, metric;
  double attribution, value, change, effect;
};

std::vector<Patch> patches(const KeptLog& log) {
  std::vector<Patch> out;
  for (const auto& row : log.rows.at("selected")) {
    EXPECT_EQ(std::get<Index>(row[0]), std::ssize(out) / 2);  // two metrics each
    out.push_back({std::get<Index>(row[2]), std::get<Index>(row[3]), std::get<std::string>(row[1]),
                   std::get<std::string>(row[5]), std::get<double>(row[4]), std::get<double>(row[6]),
                   std::get<double>(row[7]), std::get<double>(row[8])});
  }
  return out;
}

void exact_effects_equal_a_sweep(const ModelInfo& info, const char* positions) {
  Lab lab({.kind = "trial"}, 1, info);
  const Prompts pairs = random_pairs({5, 3, 6, 5}, 1);
  const std::vector<Metric> metrics = {normalised("logit_diff"), normalised("log_prob")};
  Bench bench(lab, pairs,
              params({{"positions", std::string(positions)}, {"metrics", metrics}, {"keep_prompts", true}}));
  const KeptLog& log = bench.run(Neurons());
  const bool all = std::string(positions) == "all";
  const Cells cells = lab.session.sweep({.into = pairs.corrupted(),
                                         .hooks = "blocks.{layer}.mlp.hook_post",
                                         .axes = {{"layer"}, {"neuron"}},
                                         .change = Change::replace(pairs.clean()),
                                         .metrics = metrics,
                                         .where = {.positions = all ? Positions() : Positions::last()}});
  const std::vector<Patch> found = patches(log);
  ASSERT_EQ(found.size(), 20u);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Patch& it = found[i];
    const auto m = static_cast<Index>(i % 2), candidate = static_cast<Index>(i / 2);
    EXPECT_EQ(it.group, candidate < 6 ? "selected" : "control");
    EXPECT_EQ(it.metric, metrics[static_cast<std::size_t>(m)].name());
    const at::Tensor values = cells.values(m)[it.layer][it.neuron];
    EXPECT_EQ(it.attribution, log["attribution"][it.layer][it.neuron].item<double>());
    EXPECT_NEAR(it.value, values.mean().item<double>(), 1e-6);
    EXPECT_NEAR(it.change, (values - cells.base(m)).mean().item<double>(), 1e-6);
    EXPECT_NEAR(it.effect, cells.normalised(m)[it.layer][it.neuron].item<double>(), 1e-4);
    const std::string of = "/" + it.metric;
    EXPECT_NEAR(log["value" + of][candidate].item<double>(), it.value, 1e-12);
    EXPECT_NEAR(log["change" + of][candidate].item<double>(), it.change, 1e-12);
    EXPECT_NEAR(log["effect" + of][candidate].item<double>(), it.effect, 1e-12);
    EXPECT_LT(difference(log["per_prompt" + of][candidate], values), 1e-5);
    EXPECT_LT(difference(log["corrupted_per_prompt" + of], cells.base(m)), 1e-5);
    EXPECT_LT(difference(log["clean_per_prompt" + of], cells.donor(m)), 1e-5);
  }
  // The selected ones are the largest of all.
  const at::Tensor sizes = std::get<0>(log["attribution"].abs().flatten().sort(0, true));
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(std::abs(found[2 * i].attribution), sizes[static_cast<Index>(i)].item<double>());
  EXPECT_NEAR(log.metrics.at("attribution_share"), (sizes.narrow(0, 0, 6).sum() / sizes.sum()).item<double>(), 1e-9);
}

TEST(Neurons, ExactEffectsAreThoseOfASweep) {
  for (const ModelInfo& info : {sequential(), side_by_side(even_heads()), post_norms(even_heads())}) {
    for (const char* positions : {"read", "all"}) exact_effects_equal_a_sweep(info, positions);
  }
}

TEST(Neurons, MeasuresHowWellTheRankingPredicts) {
  Lab lab({.kind = "trial"}, 1, sequential());
  Bench bench(lab, random_pairs({5, 3, 6, 5}, 1), params({{"layers", std::vector<Index>{1}}, {"control", Index{6}}}));
  const KeptLog& log = bench.run(Neurons());
  const auto& rows = log.rows.at("compared");
  ASSERT_EQ(rows.size(), 12u);  // all of the layer
  std::vector<Candidate> candidates;
  for (const auto& row : rows)
    candidates.push_back({1, 0, std::get<double>(row[2]), std::get<std::string>(row[1]) == "control"});
  const Agreement expected = agreement(candidates, log["change/logit_diff"]);
  EXPECT_EQ(log.metrics.at("correlation"), expected.correlation);
  EXPECT_EQ(log.metrics.at("rank_correlation"), expected.rank_correlation);
  EXPECT_EQ(log.metrics.at("control_correlation"), expected.control_correlation);
  EXPECT_EQ(log.metrics.at("selected_change"), expected.selected_change);
  EXPECT_EQ(log.metrics.at("control_above"), expected.control_above);
  // In the last layer nothing but the final norm's scale comes between.
  EXPECT_GT(log.metrics.at("correlation"), 0.95);
  EXPECT_TRUE(log.warnings.empty());
  EXPECT_EQ(std::get<std::string>(rows[0][0]).substr(0, 4), "L1 N");
  EXPECT_THAT(log.figures, ::testing::ElementsAre("agreement", "ranking"));
}

TEST(Neurons, AllOfThemTogetherGiveTheLayersOutput) {
  Lab lab({.kind = "trial"}, 1, sequential());
  const Prompts pairs = random_pairs({5, 3, 6, 5}, 1);
  Bench bench(lab, pairs,
              params({{"layers", std::vector<Index>{1}}, {"top", Index{12}}, {"positions", std::string("all")}}));
  const KeptLog& log = bench.run(Neurons());
  const Cells whole = lab.session.measure(pairs.corrupted(), {Metric::named("logit_diff")},
                                          Edits().at("blocks.1.mlp.hook_post", Change::replace(pairs.clean())));
  EXPECT_LT(difference(log["joint_value/logit_diff"], whole.values().mean()), 1e-6);
  const at::Tensor gap = (log["clean_metric/logit_diff"] - log["corrupted_metric/logit_diff"]);
  EXPECT_LT(difference(log["joint_effect/logit_diff"], (whole.values() - whole.base()).mean() / gap), 1e-5);
  EXPECT_FALSE(log.metrics.contains("control_change"));  // nobody is left
}

TEST(Neurons, WarnsWhenTheRankingDoesNotPredict) {
  Lab lab({.kind = "trial"}, 1, sequential());
  // The metric is read at the last token, all positions are patched: layer 0 acts through layer 1.
  Bench bench(lab, random_pairs({6, 6, 6, 6}, 1),
              params({{"layers", std::vector<Index>{0}},
                      {"top", Index{4}},
                      {"control", Index{8}},
                      {"positions", std::string("all")}}));
  const KeptLog& log = bench.run(Neurons());
  ASSERT_GE(log.metrics.at("control_above"), 0.1);
  ASSERT_EQ(log.warnings.size(), 1u);
  EXPECT_EQ(log.warnings[0].first, "prefilter");
  EXPECT_THAT(log.warnings[0].second, HasSubstr("of 8 neurons drawn by chance"));
  EXPECT_THAT(log.warnings[0].second, HasSubstr("raise top"));
}

TEST(Neurons, RankedByChanceSayNothingOfTheRanking) {
  Lab lab({.kind = "trial"}, 1, sequential());
  Bench bench(lab, random_pairs({5, 3, 6, 5}, 1),
              params({{"score", std::string("random")}, {"top", Index{12}}, {"positions", std::string("all")}}));
  const KeptLog& log = bench.run(Neurons());
  EXPECT_TRUE(log.warnings.empty());
  std::vector<double> sizes;
  for (const auto& row : log.rows.at("compared")) {
    if (std::get<std::string>(row[1]) == "selected") sizes.push_back(std::abs(std::get<double>(row[2])));
  }
  EXPECT_EQ(sizes.size(), 12u);
  EXPECT_FALSE(std::is_sorted(sizes.rbegin(), sizes.rend()));
}

TEST(Neurons, SetsOfAnswersHaveNoDirection) {
  Lab lab({.kind = "trial"}, 1, sequential());
  const Prompts pairs = random_pairs({4, 4}, 1).with("answer", ints({3, 4, 9, 8}).view({2, 2}));
  Bench bench(lab, pairs, params());
  EXPECT_EQ(error_of([&] { bench.run(Neurons()); }),
            "the 'answer' of these prompts is a set or several tokens; a direct attribution needs the direction of one "
            "token per prompt; give one.");
}

}  // namespace
}  // namespace diopter::patching::testing
