// Session::sweep against TransformerLens's patching functions (tests/peers/engine_patching_oracle.py).
#include <gtest/gtest.h>

#include <filesystem>

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
      {"k_by_pos",
       "blocks.{layer}.attn.hook_k",
       {{"layer"}, {"pos"}, {"head"}}},  // as many kv heads as heads: either word
      {"v_by_pos", "blocks.{layer}.attn.hook_v", {{"layer"}, {"pos"}, {"kv_head"}}},
      {"pattern_by_dest", "blocks.{layer}.attn.hook_pattern", {{"layer"}, {"head"}, {"dest"}}},
      {"pattern_by_dest_src", "blocks.{layer}.attn.hook_pattern", {{"layer"}, {"head"}, {"dest"}, {"src"}}},
  };
  return all;
}

TEST(PatchingParity, TablesEqualTransformerLens) {
  const std::filesystem::path oracle = peers::oracle("engine_patching");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("engine_patching");
  printf("%-12s %-20s %6s %8s %8s %12s\n", "model", "table", "cells", "computed", "skipped", "largest diff");
  for (const char* name : {"late", "all_differ"}) {
    const auto model = std::make_shared<model::Transformer>(model::load(oracle / name).parameters);
    Remembering monitor;
    Session session(model, nullptr, monitor, {.kind = "patching", .memory_budget = 0, .verify = 5});
    auto expected = model::testing::read_tensors(oracle / (std::string(name) + ".safetensors"));
    const Prompts pairs = Prompts::tokens(expected.at("clean"))
                              .with("corrupted", expected.at("corrupted"))
                              .with("answer", expected.at("answer"))
                              .with("foil", expected.at("foil"));
    for (const Table& table : tables()) {
      const Cells cells = session.sweep({.into = pairs.corrupted(),
                                         .hooks = table.hooks,
                                         .axes = table.axes,
                                         .change = Change::replace(pairs.clean()),
                                         .metrics = {Metric::named("logit_diff")}});
      EXPECT_LT(difference(cells.base().mean(), expected.at("corrupted_metric")), 1e-5);
      EXPECT_LT(difference(cells.donor().mean(), expected.at("clean_metric")), 1e-5);
      const at::Tensor ours = cells.values().mean(-1), theirs = expected.at(table.name);
      ASSERT_EQ(ours.sizes(), theirs.sizes()) << table.name;
      const double largest = difference(ours, theirs);
      printf("%-12s %-20s %6ld %8ld %8ld %12.2g\n", name, table.name, cells.counts().cells, cells.counts().computed,
             cells.counts().skipped, largest);
      EXPECT_LT(largest, 1e-4) << table.name;
      EXPECT_EQ(cells.counts().verified, 5);
    }
  }
}

}  // namespace
}  // namespace diopter::engine::testing
