// The forward against transformers on random models of every family (tests/peers/families_oracle.py): logits, residual
// streams, patterns; and what save() writes is what load() read.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "core/model/expected.hpp"
#include "core/model/oracle_cases.hpp"
#include "core/model/parity.hpp"
#include "core/model/random_model.hpp"
#include "model/load.hpp"
#include "model/precision.hpp"
#include "model/transformer.hpp"
#include "peers/python_peer.hpp"

namespace diopter::model {
namespace {

using testing::largest;
using testing::largest_difference;
using testing::oracle_cases;
using testing::OracleCase;
using testing::read_tensors;
using testing::real;

TEST(FamiliesParity, LogitsStreamsAndPatternsEqualTransformers) {
  const std::filesystem::path oracle = peers::oracle("families");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("families");
  const c10::InferenceMode no_graph;
  testing::print_parity_heading();
  std::map<std::string, int> cases;
  for (const OracleCase& c : oracle_cases(oracle)) {
    const Transformer model(testing::placed(load(c.folder).parameters));
    testing::compare_with_oracle("model_families", c.name, model, read_tensors(c.folder / "expected.safetensors"));
    ++cases[c.about.at("family")];
  }
  EXPECT_EQ(cases.size(), 6U);
  for (const auto& [family, count] : cases) EXPECT_GE(count, 6) << family;
}

double rms(const at::Tensor& x) { return x.to(at::kDouble).square().mean().sqrt().item<double>(); }

// Rounding errors are no bugs, but they must be of the size that transformers has in the same dtype.
TEST(FamiliesParity, LowPrecisionLosesNoMoreThanTransformers) {
  const std::filesystem::path oracle = peers::oracle("families");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("families");
  const c10::InferenceMode no_graph;
  for (const char* dtype : {"bfloat16", "float16"}) {
    double worst_exact = 0, worst_ratio = 0, worst = 0;
    for (const OracleCase& c : oracle_cases(oracle)) {
      const Transformer model(load(c.folder, dtype_named(dtype)).parameters);
      auto expected = read_tensors(c.folder / "expected.safetensors");
      const at::Tensor ids = expected.at("ids");
      const at::Tensor exact = real(expected.at(fmt::format("exact.{}", dtype)), ids);
      const at::Tensor theirs = real(expected.at(fmt::format("logits.{}", dtype)), ids);
      const at::Tensor ours = real(model.forward(ids), ids);
      EXPECT_EQ(ours.scalar_type(), dtype_named(dtype));
      const double reference = largest_difference(real(float_logits(model, ids), ids), exact);
      const double ratio = rms(ours - exact) / rms(theirs - exact);
      EXPECT_LE(reference, 1e-5) << c.name << " " << dtype;
      EXPECT_LE(ratio, 1.2) << c.name << " " << dtype;
      worst_exact = std::max(worst_exact, reference);
      worst_ratio = std::max(worst_ratio, ratio);
      worst = std::max(worst, largest_difference(ours, exact));
    }
    fmt::print(
        "{}: largest error {:.2g}; rms error at most {:.2f} x that of transformers; float_logits within {:.2g}\n",
        dtype, worst, worst_ratio, worst_exact);
  }
}

TEST(FamiliesParity, WhatIsSavedIsWhatWasLoaded) {
  const std::filesystem::path oracle = peers::oracle("families");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("families");
  const c10::InferenceMode no_graph;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("diopter_families_" + std::to_string(::getpid()));
  for (const OracleCase& c : oracle_cases(oracle)) {
    const Parameters loaded = load(c.folder).parameters;
    save(loaded, folder);
    const Parameters back = load(folder).parameters;
    for (const Slot slot : slots(loaded.info())) {
      // Gemma's gains pass through a subtraction of 1.
      EXPECT_LE(largest_difference(back.get(slot.part, slot.layer), loaded.get(slot.part, slot.layer)), 1.2e-7)
          << c.name << " " << slot_name(slot);
    }
    const at::Tensor ids = testing::random_ids(loaded.info(), 2, 9);
    EXPECT_LE(largest_difference(Transformer(back).forward(ids), Transformer(loaded).forward(ids)), 1e-5) << c.name;
    std::filesystem::remove_all(folder);
  }
}

// Each sees only what it may: with a cache the keys come one by one.
TEST(FamiliesParity, CachedStepsEqualTheWholeForward) {
  const std::filesystem::path oracle = peers::oracle("families");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("families");
  const c10::InferenceMode no_graph;
  double worst = 0;
  for (const OracleCase& c : oracle_cases(oracle)) {
    const Transformer model(load(c.folder).parameters);
    const at::Tensor ids = testing::random_ids(model.info(), 3, 20);
    const at::Tensor whole = model.forward(ids);
    KvCache cache(model.info(), 3, 20, whole.options());
    Rows rows;
    rows.cache = &cache;
    std::vector<at::Tensor> steps{model.forward(ids.narrow(1, 0, 9), {}, rows)};
    for (Index pos = 9; pos < 20; ++pos) steps.push_back(model.forward(ids.narrow(1, pos, 1), {}, rows));
    const double gap = largest_difference(at::cat(steps, 1), whole);
    EXPECT_LE(gap, 1e-5) << c.name;
    worst = std::max(worst, gap);
  }
  fmt::print("largest difference between cached steps and a whole forward: {:.2g}\n", worst);
}

// The parts of a block, put together by hand, are the block.
TEST(FamiliesParity, PiecesMakeTheBlock) {
  const std::filesystem::path oracle = peers::oracle("families");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("families");
  const c10::InferenceMode no_graph;
  for (const OracleCase& c : oracle_cases(oracle)) {
    const Transformer model(load(c.folder).parameters);
    const at::Tensor x = at::randn({2, 11, model.info().d_model}, at::detail::createCPUGenerator(3), at::kFloat);
    const at::Tensor positions = at::arange(11, at::kLong).expand({2, 11});
    const Qkv qkv = model.qkv(1 % model.info().n_layers, x, positions);
    const Index layer = 1 % model.info().n_layers;
    const at::Tensor mid = x + model.attn_out(layer, model.attend(layer, qkv.q, qkv.k, qkv.v, AttentionMask::causal()));
    const at::Tensor post = mid + model.mlp_out(layer, model.info().parallel_block ? x : mid);
    EXPECT_LE(largest_difference(post, model.block(layer, x)), 2e-6 * largest(post)) << c.name;
  }
}

}  // namespace
}  // namespace diopter::model
