// Session::sweep against TransformerLens's patching functions (tests/peers/engine_patching_oracle.py and, for the
// families beside GPT-2, engine_patching_families_oracle.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/engine/support.hpp"
#include "core/model/expected.hpp"
#include "model/load.hpp"
#include "peers/python_peer.hpp"

namespace diopter::engine::testing {
namespace {

struct Table {
  const char* name;
  const char* hooks;
  std::vector<Axis> axes;
};

const std::vector<Table>& tables() {
  static const std::vector<Table> all = {
      {"resid_pre", "blocks.{layer}.hook_resid_pre", {{"layer"}, {"pos"}}},
      {"resid_mid", "blocks.{layer}.hook_resid_mid", {{"layer"}, {"pos"}}},
      {"attn_out", "blocks.{layer}.hook_attn_out", {{"layer"}, {"pos"}}},
      {"mlp_out", "blocks.{layer}.hook_mlp_out", {{"layer"}, {"pos"}}},
      {"z", "blocks.{layer}.attn.hook_z", {{"layer"}, {"head"}}},
      {"q", "blocks.{layer}.attn.hook_q", {{"layer"}, {"head"}}},
      {"k", "blocks.{layer}.attn.hook_k", {{"layer"}, {"kv_head"}}},
      {"v", "blocks.{layer}.attn.hook_v", {{"layer"}, {"kv_head"}}},
      {"pattern", "blocks.{layer}.attn.hook_pattern", {{"layer"}, {"head"}}},
      {"z_by_pos", "blocks.{layer}.attn.hook_z", {{"layer"}, {"pos"}, {"head"}}},
      {"q_by_pos", "blocks.{layer}.attn.hook_q", {{"layer"}, {"pos"}, {"head"}}},
      {"k_by_pos", "blocks.{layer}.attn.hook_k", {{"layer"}, {"pos"}, {"kv_head"}}},
      {"v_by_pos", "blocks.{layer}.attn.hook_v", {{"layer"}, {"pos"}, {"kv_head"}}},
      {"pattern_by_dest", "blocks.{layer}.attn.hook_pattern", {{"layer"}, {"head"}, {"dest"}}},
      {"pattern_by_dest_src", "blocks.{layer}.attn.hook_pattern", {{"layer"}, {"head"}, {"dest"}, {"src"}}},
  };
  return all;
}

Sweep sweep_of(const Prompts& pairs, const Table& table) {
  return {.into = pairs.corrupted(),
          .hooks = table.hooks,
          .axes = table.axes,
          .change = Change::replace(pairs.clean()),
          .metrics = {Metric::named("logit_diff")}};
}

using Expected = std::map<std::string, at::Tensor>;

Prompts pairs_of(const Expected& expected) {
  return Prompts::tokens(expected.at("clean"))
      .with("corrupted", expected.at("corrupted"))
      .with("answer", expected.at("answer"))
      .with("foil", expected.at("foil"));
}

void compare(Session& session, const Table& table, const Expected& expected, const std::string& title) {
  const Cells cells = session.sweep(sweep_of(pairs_of(expected), table));
  const double largest_logit = expected.at("largest_logit").item<double>();
  EXPECT_LT(difference(cells.base().mean(), expected.at("corrupted_metric")), 1e-5 * std::max(1., largest_logit));
  EXPECT_LT(difference(cells.donor().mean(), expected.at("clean_metric")), 1e-5 * std::max(1., largest_logit));
  const at::Tensor ours = cells.values().mean(-1), theirs = expected.at(table.name);
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << table.name;
  const double largest = difference(ours, theirs), moved = difference(theirs, expected.at("corrupted_metric"));
  printf("%-26s %-20s %6ld %8ld %8ld %8.2g %12.2g %10.2g\n", title.c_str(), table.name, cells.counts().cells,
         cells.counts().computed, cells.counts().skipped, moved, largest, largest / largest_logit);
  EXPECT_LT(largest, 1e-4) << table.name;
  EXPECT_GT(moved, 1e-2) << table.name << " patches nothing that matters";
  EXPECT_EQ(cells.counts().verified, std::min<Index>(5, cells.counts().cells));
}

// Every model of an oracle, on each of its kinds of prompts. Returns how many files of tables were compared.
int compare_models(const std::filesystem::path& oracle) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(oracle)) {
    if (entry.path().extension() != ".safetensors") continue;
    ++files;
    const std::string name = entry.path().stem().stem(), title = entry.path().stem();
    const auto model = std::make_shared<model::Transformer>(model::load(oracle / name).parameters);
    Remembering monitor;
    Session session(model, nullptr, monitor, {.kind = "patching", .memory_budget = 0, .verify = 5});
    const Expected expected = model::testing::read_tensors(entry.path());
    for (const Table& table : tables()) {
      if (expected.contains(table.name)) {
        compare(session, table, expected, title);
        continue;
      }
      // What TransformerLens has no table of, diopter has no point of: nothing between the halves of a parallel block.
      EXPECT_TRUE(model->info().parallel_block && table.name == std::string("resid_mid")) << title << " " << table.name;
      EXPECT_THROW(session.sweep(sweep_of(pairs_of(expected), table)), Error);
    }
  }
  return files;
}

void print_head() {
  printf("%-26s %-20s %6s %8s %8s %8s %12s %10s\n", "model.prompts", "table", "cells", "computed", "skipped", "moves",
         "largest diff", "/ |logit|");
}

TEST(PatchingParity, TablesEqualTransformerLens) {
  const std::filesystem::path oracle = peers::oracle("engine_patching");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("engine_patching");
  print_head();
  EXPECT_EQ(compare_models(oracle), 2 * 2);
}

TEST(PatchingParity, TablesOfEveryFamilyEqualTransformerLens) {
  const std::filesystem::path oracle = peers::oracle("engine_patching_families");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("engine_patching_families");
  print_head();
  EXPECT_EQ(compare_models(oracle), 8 * 2);
}

}  // namespace
}  // namespace diopter::engine::testing
