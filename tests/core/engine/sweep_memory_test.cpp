// What a sweep holds, measured by the kernel: within the budget it was given, and no more for more cells.
#include <gtest/gtest.h>

#include "benchmarks/measured.hpp"
#include "core/engine/support.hpp"

namespace diopter::engine::testing {
namespace {

constexpr std::int64_t kMega = 1 << 20;
// What the budget does not speak of: code and tables that a first sweep loads, the allocator's own.
constexpr std::int64_t kBeside = 24 * kMega;

ModelInfo info() {
  ModelInfo info = model::testing::tiny_info();
  info.n_layers = 4;
  info.n_heads = info.n_kv_heads = 8;
  info.d_model = 256;
  info.d_head = 32;
  info.d_mlp = 1024;
  info.d_vocab = 500;
  info.n_ctx = 128;
  info.attention_scale = 1 / std::sqrt(32.0);
  return info;
}

struct Measured {
  std::int64_t growth = 0;  // bytes, at the peak
  Counts counts;
};

// Clean values put into runs that differ from position 1 on.
Measured measured(Lab& lab, Index prompts, Index positions, std::vector<Index> at, bool observe) {
  at::Tensor clean = model::testing::random_ids(lab.info(), prompts, positions, 3);
  at::Tensor corrupted = model::testing::random_ids(lab.info(), prompts, positions, 4);
  corrupted.select(1, 0).copy_(clean.select(1, 0));
  const Prompts pairs = Prompts::tokens(clean)
                            .with("corrupted", corrupted)
                            .with("answer", at::full({prompts}, 7, at::kLong))
                            .with("foil", at::full({prompts}, 9, at::kLong));
  Sweep sweep{.into = pairs.corrupted(),
              .hooks = "blocks.{layer}.hook_resid_pre",
              .axes = {{"layer"}, {"pos", std::move(at)}},
              .change = Change::replace(pairs.clean()),
              .metrics = {Metric::named("logit_diff")}};
  if (observe) {
    sweep.observe = "blocks.3.hook_resid_post";
    sweep.on_chunk = [](const Chunk&) {};
  }
  benchmarks::forget_peak();
  const std::int64_t before = benchmarks::memory_bytes("VmRSS");
  const Cells cells = lab.session.sweep(sweep);
  return {.growth = benchmarks::memory_bytes("VmHWM") - before, .counts = cells.counts()};
}

std::vector<Index> every(Index step, Index end) {
  std::vector<Index> at;
  for (Index pos = 1; pos < end; pos += step) at.push_back(pos);
  return at;
}

// Small budgets first: what a large one takes, the allocator keeps.
TEST(SweepMemory, StaysInTheBudgetAndDoesNotGrowWithCells) {
  for (const std::int64_t budget : {16 * kMega, 40 * kMega}) {
    for (const bool observe : {false, true}) {
      Lab lab({.kind = "trial", .memory_budget = budget}, 1, info());
      const Measured few = measured(lab, 32, 50, every(25, 50), observe);
      const Measured many = measured(lab, 32, 50, every(5, 50), observe);
      printf("budget %4ld MB%s: %2ld cells held %5.1f MB, %2ld cells %5.1f MB\n", budget / kMega,
             observe ? ", observing" : "", few.counts.cells, static_cast<double>(few.growth) / kMega, many.counts.cells,
             static_cast<double>(many.growth) / kMega);
      EXPECT_EQ(many.counts.cells, 5 * few.counts.cells);
      EXPECT_GE(many.counts.computed, 35);
      EXPECT_LE(few.growth, budget + kBeside);
      EXPECT_LE(many.growth, budget + kBeside);
    }
  }
  // Or this would show nothing: all prompts together take more than those budgets.
  Lab lab({.kind = "trial", .memory_budget = 2048 * kMega}, 1, info());
  const Measured all = measured(lab, 32, 50, every(25, 50), true);
  printf("budget 2048 MB: held %.1f MB more\n", static_cast<double>(all.growth) / kMega);
  EXPECT_GT(all.growth, 40 * kMega);
}

}  // namespace
}  // namespace diopter::engine::testing
