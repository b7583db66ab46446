// A model of 1.24 billion parameters (tests/peers/large_model_oracle.py): what loading takes, what a forward gives.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/model/expected.hpp"
#include "core/model/random_model.hpp"
#include "model/load.hpp"
#include "model/precision.hpp"
#include "peers/python_peer.hpp"

namespace diopter::model {
namespace {

using testing::largest_difference;

// A line of /proc/self/status, in megabytes.
double status_megabytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::stod(line.substr(key.size() + 1)) * 1024 / 1e6;
  }
  ADD_FAILURE() << "no " << key;
  return 0;
}

void forget_the_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

double megabytes(const Parameters& parameters) {
  double bytes = 0;
  for (const Slot slot : slots(parameters.info()))
    bytes += static_cast<double>(parameters.get(slot.part, slot.layer).nbytes());
  return bytes / 1e6;
}

double rms(const at::Tensor& x) { return x.to(at::kDouble).square().mean().sqrt().item<double>(); }

TEST(LargeModel, LoadsMappedAndComputesInBfloat16) {
  const std::filesystem::path oracle = peers::oracle("large_model");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("large_model");
  const c10::InferenceMode no_graph;
  auto expected = testing::read_tensors(oracle / "expected.safetensors");
  at::mm(at::ones({64, 64}), at::ones({64, 64}));  // thread pool and kernels are there before the first reading
  forget_the_peak();
  const double before = status_megabytes("VmRSS"), own_before = status_megabytes("RssAnon");

  const Transformer model(load(oracle / "model", at::kBFloat16).parameters);
  const double loaded = status_megabytes("VmHWM") - before, own = status_megabytes("RssAnon") - own_before;
  const at::Tensor logits = model.forward(expected.at("ids"));
  const double run = status_megabytes("VmHWM") - before;
  const double weights = megabytes(model.parameters());
  fmt::print(
      "weights {:.0f} MB; peak of loading {:.0f} MB, with a forward of 24 tokens {:.0f} MB; of its own {:.0f} MB\n",
      weights, loaded, run, own);
  EXPECT_GT(weights, 2400);
  EXPECT_LE(loaded, weights + 200);
  EXPECT_LE(own, 100);  // all else are pages of the file, which processes share

  const at::Tensor exact = expected.at("exact");
  const double ratio = rms(logits - exact) / rms(expected.at("logits") - exact);
  fmt::print("logits up to {:.3g}: error {:.3g}, rms {:.2f} x that of transformers in bfloat16\n",
             testing::largest(exact), largest_difference(logits, exact), ratio);
  EXPECT_LE(ratio, 1.1);
}

TEST(LargeModel, ConvertsWithoutHoldingBothFormsAtOnce) {
  const std::filesystem::path oracle = peers::oracle("large_model");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("large_model");
  const c10::InferenceMode no_graph;
  auto expected = testing::read_tensors(oracle / "expected.safetensors");
  forget_the_peak();
  const double before = status_megabytes("VmRSS");
  const Transformer model(load(oracle / "model").parameters);
  const double loaded = status_megabytes("VmHWM") - before, weights = megabytes(model.parameters());
  fmt::print("weights in float32 {:.0f} MB; peak of loading {:.0f} MB\n", weights, loaded);
  EXPECT_LE(loaded, weights + 200);

  const at::Tensor exact = expected.at("exact");
  const double difference = largest_difference(model.forward(expected.at("ids")), exact);
  fmt::print("float32: logits up to {:.3g}, largest difference {:.2g}\n", testing::largest(exact), difference);
  EXPECT_LE(difference, 5e-6 * testing::largest(exact) + 1e-5);
}

}  // namespace
}  // namespace diopter::model
