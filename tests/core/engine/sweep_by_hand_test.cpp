// Every site x what is walked x direction x replacement, on rows of unequal length, against the same cells done by
// hand, in blocks of three kinds.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <diopter_host/specs.hpp>

#include "core/engine/by_hand.hpp"
#include "core/engine/support.hpp"
#include "core/model/block_kinds.hpp"

namespace diopter::engine::testing {
namespace {

enum class With { Donor, Zero, MeanByPosition, MeanOverPositions, Tensor, Add, Scale };
constexpr const char* kWithNames[] = {"donor", "zero", "mean", "mean_over_positions", "tensor", "add", "scale"};

ModelInfo small() {
  ModelInfo info = model::testing::tiny_info();
  info.n_layers = 2;
  info.n_heads = info.n_kv_heads = 2;
  info.d_model = 8;
  info.d_head = 3;
  info.d_mlp = 6;
  return info;
}

// As Gemma 2 with Qwen 3's norms of q and k: grouped heads, a window in one layer, soft caps, norms after the sums.
ModelInfo grouped() {
  ModelInfo info = model::testing::post_norms(model::testing::with_heads(small(), 4, 4));
  info.n_kv_heads = 2;
  info.attention_scale = 0.4;
  info.windows = {0, 3};
  info.score_softcap = 4;
  info.logit_softcap = 6;
  info.query_key_norm = true;
  return info;
}

ModelInfo block_kind(const std::string& name) {
  if (name == "sequential") return small();
  return name == "side_by_side" ? model::testing::side_by_side(model::testing::with_heads(small(), 2, 4)) : grouped();
}

const std::vector<Index> kLengths = {3, 6, 5};

bool has(const HookPoint& point, Text dim) {
  return std::find(point.dims.begin(), point.dims.end(), dim) != point.dims.end();
}

class Hand {
 public:
  Hand(const model::Transformer& model, Prompts into, Prompts donor)
      : model_(model), into_(std::move(into)), donor_(std::move(donor)) {
    for (Index row = 0; row < donor_.size(); ++row) donor_runs_.push_back(run_by_hand(model_, row_ids(donor_, row)));
  }

  // The metric of one row with one cell changed; NaN where the row has no such position.
  double value(HookId id, const Cell& cell, With with, Index row, const at::Tensor& vector) const {
    const HookPoint& point = model_.hooks()[id];
    const at::Tensor ids = row_ids(into_, row);
    if (cell.pos >= ids.size(1) || cell.src >= ids.size(1)) return std::nan("");
    const bool scores = model_.hooks().point(id) == Point::AttnScores;
    const HandRun run = run_by_hand(
        model_, ids, {{id, [&](const at::Tensor& value) {
                         at::Tensor out = value.clone();
                         at::Tensor slot = part(out, point, cell);
                         const at::Tensor seen =
                             scores ? slot != -std::numeric_limits<double>::infinity() : at::ones_like(slot, at::kBool);
                         switch (with) {
                           case With::Donor:
                             slot.copy_(part(donor_runs_[static_cast<std::size_t>(row)].values.at(id), point, cell));
                             break;
                           case With::Zero: slot.copy_(at::where(seen, at::zeros_like(slot), slot)); break;
                           case With::MeanByPosition: slot.copy_(part(mean_by_position(id, value), point, cell)); break;
                           case With::MeanOverPositions:
                             slot.copy_(part(mean_over_positions(id).expand_as(value), point, cell));
                             break;
                           case With::Tensor: slot.copy_(vector.expand_as(slot)); break;
                           case With::Add: slot.add_(vector * 1.5); break;
                           case With::Scale: slot.copy_(at::where(seen, slot * -0.7, slot)); break;
                         }
                         return out;
                       }}});
    return logit_diff(run.logits, (row * 5 + 3) % 31, (row * 7 + 11) % 31);
  }

 private:
  // Of the donor's rows that have the position; every row's own length for pairs of positions.
  at::Tensor mean_by_position(HookId id, const at::Tensor& like) const {
    const HookPoint& point = model_.hooks()[id];
    const bool pairs = has(point, "src");
    at::Tensor mean = like.clone();
    const Index positions = like.size(pairs ? 2 : 1);
    for (Index pos = 0; pos < positions; ++pos) {
      std::vector<at::Tensor> rows;
      for (const HandRun& run : donor_runs_) {
        const at::Tensor& value = run.values.at(id);
        if (value.size(pairs ? 2 : 1) <= pos) continue;
        at::Tensor one = value.narrow(pairs ? 2 : 1, pos, 1);
        if (pairs) one = one.narrow(3, 0, pos + 1);  // what follows is masked
        rows.push_back(one.to(at::kDouble));
      }
      at::Tensor target = mean.narrow(pairs ? 2 : 1, pos, 1);
      if (pairs) target = target.narrow(3, 0, pos + 1);
      target.copy_(at::stack(rows).mean(0));
    }
    return mean;
  }
  at::Tensor mean_over_positions(HookId id) const {
    std::vector<at::Tensor> rows;
    for (const HandRun& run : donor_runs_) rows.push_back(run.values.at(id).to(at::kDouble));
    return at::cat(rows, 1).mean(1, true).to(at::kFloat);
  }

  const model::Transformer& model_;
  Prompts into_, donor_;
  std::vector<HandRun> donor_runs_;
};

Change change_of(With with, const Prompts& donor, const at::Tensor& vector) {
  switch (with) {
    case With::Donor: return Change::replace(donor);
    case With::Zero: return Change::zero();
    case With::MeanByPosition: return Change::mean(donor);
    case With::MeanOverPositions: return Change::mean(donor, Mean::OverPositions);
    case With::Tensor: return Change::replace(vector);
    case With::Add: return Change::add(vector, 1.5);
    case With::Scale: return Change::scale(-0.7);
  }
  throw std::logic_error("no such replacement");
}

// The combinations of axes that make sense at a point.
std::vector<std::vector<Text>> walks(const HookPoint& point) {
  const Text head = has(point, "kv_head") ? "kv_head" : "head";
  if (has(point, "src"))
    return {{"layer"}, {"layer", "head"}, {"layer", "head", "dest"}, {"layer", "head", "dest", "src"}};
  std::vector<std::vector<Text>> all = {{"layer"}, {"layer", "pos"}};
  if (has(point, "head") || has(point, "kv_head")) all.insert(all.end(), {{"layer", head}, {"layer", "pos", head}});
  if (has(point, "neuron")) all.push_back({"layer", "pos", "neuron"});
  return all;
}

class SweepByHand : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(SweepByHand, EveryWalkAndReplacement) {
  const auto& [kind, site] = GetParam();
  Lab lab({.kind = "trial"}, 3, block_kind(kind));
  const Prompts pairs = random_pairs(kLengths, 2);
  const std::string pattern = site_pattern(site);
  const HookTable& hooks = lab.model->hooks();
  const HookPoint& point = hooks[hooks.resolve(HookSet(pattern), 0).front()];
  const std::vector<Metric> metrics = {Metric::named("logit_diff")};

  for (const bool denoise : {true, false}) {
    const Prompts into = denoise ? pairs.corrupted() : pairs.clean(),
                  donor = denoise ? pairs.clean() : pairs.corrupted();
    const Hand hand(*lab.model, into, donor);
    for (const With with : {With::Donor, With::Zero, With::MeanByPosition, With::MeanOverPositions, With::Tensor,
                            With::Add, With::Scale}) {
      if (!denoise && with != With::Donor) continue;
      // The replacements are the same code for every block; three of them show that each site's values are placed
      // right.
      if (kind != "sequential" && with != With::Donor && with != With::Zero && with != With::Add) continue;
      if (with == With::MeanOverPositions && has(point, "src")) continue;
      if (with == With::Zero && has(point, "scale")) continue;  // the norm divides by it
      const std::vector<Index> shape = hooks.shape(hooks.resolve(HookSet(pattern), 0).front(), 1, 1);
      const at::Tensor vector = at::randn({has(point, "src") || has(point, "neuron") ? 1 : shape.back()},
                                          at::detail::createCPUGenerator(9), at::kFloat);
      Index cells_compared = 0;
      double largest = 0;
      for (const std::vector<Text>& walk : walks(point)) {
        Sweep sweep{.into = into,
                    .hooks = HookSet(pattern),
                    .axes = {},
                    .change = change_of(with, donor, vector),
                    .metrics = metrics};
        for (const Text name : walk) sweep.axes.push_back({name});
        const Cells cells = lab.session.sweep(sweep);
        const at::Tensor values = cells.values().reshape({-1, into.size()});
        std::vector<Index> sizes(cells.values().sizes().begin(), cells.values().sizes().end() - 1);
        for (Index flat = 0; flat < values.size(0); ++flat) {
          Index rest = flat, layer = 0;
          Cell cell;
          for (std::size_t a = walk.size(); a-- > 0; rest /= sizes[a]) {
            const Index at = rest % sizes[a];
            if (walk[a] == "layer") layer = at;
            if (walk[a] == "pos" || walk[a] == "dest") cell.pos = at;
            if (walk[a] == "src") cell.src = at;
            if (walk[a] == "head" || walk[a] == "kv_head") cell.head = at;
            if (walk[a] == "neuron") cell.neuron = at;
          }
          for (Index row = 0; row < into.size(); ++row) {
            const double expected = hand.value(hooks.resolve(HookSet(pattern), layer).front(), cell, with, row, vector);
            const double got = values[flat][row].item<double>();
            ASSERT_EQ(std::isnan(expected), std::isnan(got)) << "cell " << flat << " row " << row;
            if (std::isnan(expected)) continue;
            largest = std::max(largest, std::abs(expected - got));
            ++cells_compared;
          }
        }
      }
      printf("%-12s %-18s %-8s %-20s %6ld values, largest difference %.2g\n", kind.c_str(), site.c_str(),
             denoise ? "denoise" : "noise", kWithNames[static_cast<int>(with)], static_cast<long>(cells_compared),
             largest);
      EXPECT_LT(largest, 2e-5) << kWithNames[static_cast<int>(with)];
      EXPECT_GT(cells_compared, 0);
    }
  }
}

std::string words(const ::testing::TestParamInfo<std::tuple<std::string, std::string>>& which) {
  return std::get<0>(which.param) + "_" + std::get<1>(which.param);
}

const std::vector<std::string> kStream = {"resid_pre",      "q_input", "k_input",  "v_input",  "ln1_scale",
                                          "ln1_normalized", "q",       "k",        "v",        "attn_scores",
                                          "pattern",        "z",       "result",   "attn_out", "ln2_scale",
                                          "ln2_normalized", "mlp_pre", "mlp_post", "mlp_out",  "resid_post"};
INSTANTIATE_TEST_SUITE_P(Sites, SweepByHand,
                         ::testing::Combine(::testing::Values<std::string>("sequential", "side_by_side", "grouped"),
                                            ::testing::ValuesIn(kStream)),
                         words);
// What only some blocks have.
INSTANTIATE_TEST_SUITE_P(Ungrouped, SweepByHand,
                         ::testing::Combine(::testing::Values<std::string>("sequential", "side_by_side"),
                                            ::testing::Values<std::string>("attn_in")),
                         words);
INSTANTIATE_TEST_SUITE_P(Between, SweepByHand,
                         ::testing::Combine(::testing::Values<std::string>("sequential", "grouped"),
                                            ::testing::Values<std::string>("resid_mid", "mlp_in")),
                         words);
INSTANTIATE_TEST_SUITE_P(Turned, SweepByHand,
                         ::testing::Combine(::testing::Values<std::string>("side_by_side", "grouped"),
                                            ::testing::Values<std::string>("rot_q", "rot_k")),
                         words);

}  // namespace
}  // namespace diopter::engine::testing
