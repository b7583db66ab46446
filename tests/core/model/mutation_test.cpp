// Would the parity test notice? Every mistake that a loader or a forward could make is made here on purpose, from
// outside, and must leave the gate of 1e-5 by a wide margin.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/model/expected.hpp"
#include "core/model/random_model.hpp"
#include "model/load.hpp"
#include "model/transformer.hpp"
#include "peers/python_peer.hpp"

namespace diopter::model {
namespace {

using testing::largest_difference;
using testing::read_tensors;

constexpr double kGate = 1e-5;

struct Mutant {
  const char* name;
  std::function<void(ModelInfo&)> config = [](ModelInfo&) {};
  std::function<at::Tensor(Slot, const at::Tensor&)> weights = [](Slot, const at::Tensor& w) { return w; };
  std::function<void(Rows&, Index)> rows = [](Rows&, Index) {};
};

// A weight of every layer changed.
std::function<at::Tensor(Slot, const at::Tensor&)> changed(Part part, std::function<at::Tensor(const at::Tensor&)> f) {
  return [part, f](Slot slot, const at::Tensor& w) { return slot.part == part ? f(w) : w; };
}
at::Tensor zeros(const at::Tensor& w) { return at::zeros_like(w); }
at::Tensor ones(const at::Tensor& w) { return at::ones_like(w); }
at::Tensor q_and_k_swapped(const at::Tensor& w) {
  const auto parts = w.chunk(3, -1);
  return at::cat({parts[1], parts[0], parts[2]}, -1);
}
at::Tensor head_major(const at::Tensor& w) {  // GPT-NeoX's order read as GPT-2's
  return w.unflatten(-1, {3, 4, w.size(-1) / 12}).transpose(-3, -2).flatten(-3);
}

at::Tensor shifted_triangle(Index pos, Index shift) { return at::ones({pos, pos}, at::kBool).tril(shift); }

std::vector<Mutant> mutants() {
  std::vector<Mutant> all;
  const auto weights = [&](const char* name, Part part, std::function<at::Tensor(const at::Tensor&)> f) {
    Mutant m{name};
    m.weights = changed(part, std::move(f));
    all.push_back(std::move(m));
  };
  const auto config = [&](const char* name, std::function<void(ModelInfo&)> f) {
    Mutant m{name};
    m.config = std::move(f);
    all.push_back(std::move(m));
  };
  const auto rows = [&](const char* name, std::function<void(Rows&, Index)> f) {
    Mutant m{name};
    m.rows = std::move(f);
    all.push_back(std::move(m));
  };
  weights("q and k swapped", Part::QkvWeight, q_and_k_swapped);
  weights("biases of q and k swapped", Part::QkvBias, q_and_k_swapped);
  weights("qkv read head-major", Part::QkvWeight, head_major);
  weights("attention output transposed", Part::OutWeight, [](const at::Tensor& w) { return w.t().contiguous(); });
  weights("no qkv bias", Part::QkvBias, zeros);
  weights("no attention output bias", Part::OutBias, zeros);
  weights("no MLP input bias", Part::MlpInBias, zeros);
  weights("no MLP output bias", Part::MlpOutBias, zeros);
  weights("no ln_1 gain", Part::Ln1Gain, ones);
  weights("no ln_1 bias", Part::Ln1Bias, zeros);
  weights("no ln_2 gain", Part::Ln2Gain, ones);
  weights("no ln_2 bias", Part::Ln2Bias, zeros);
  weights("no final gain", Part::LnFinalGain, ones);
  weights("no final bias", Part::LnFinalBias, zeros);
  weights("no position embedding", Part::PosEmbed, zeros);
  config("eps 1e-4 for 1e-5", [](ModelInfo& i) { i.norm_eps = 1e-4; });
  config("gelu for gelu_new", [](ModelInfo& i) { i.activation = Activation::Gelu; });
  config("quick_gelu for gelu_new", [](ModelInfo& i) { i.activation = Activation::QuickGelu; });
  config("scores not scaled", [](ModelInfo& i) { i.attention_scale = 1; });
  config("scores scaled by d_model",
         [](ModelInfo& i) { i.attention_scale = 1 / std::sqrt(static_cast<double>(i.d_model)); });
  config("scores scaled by layer", [](ModelInfo& i) { i.scale_by_inverse_layer = true; });
  rows("positions begin at 1",
       [](Rows& r, Index pos) { r.positions = at::arange(1, pos + 1, at::kLong).clamp_max(pos - 1).unsqueeze(0); });
  rows("queries see one key ahead", [](Rows& r, Index pos) { r.mask = AttentionMask::of(shifted_triangle(pos, 1)); });
  rows("queries do not see themselves",
       [](Rows& r, Index pos) { r.mask = AttentionMask::of(shifted_triangle(pos, -1)); });
  rows("no causal mask", [](Rows& r, Index pos) { r.mask = AttentionMask::of(at::ones({pos, pos}, at::kBool)); });
  return all;
}

double error_of(const Parameters& parameters, const Mutant& mutant, const at::Tensor& ids, const at::Tensor& expected) {
  ModelInfo info = parameters.info();
  mutant.config(info);
  Parameters changed_parameters(info);
  for (const Slot slot : slots(info))
    changed_parameters.set(slot, mutant.weights(slot, parameters.get(slot.part, slot.layer)));
  Rows rows;
  mutant.rows(rows, ids.size(1));
  const at::Tensor logits = Transformer(changed_parameters).forward(ids, {}, rows);
  const at::Tensor real = ids.ge(0);
  return largest_difference(logits.index({real}), expected.index({real}));
}

TEST(Gpt2Parity, EveryMistakeWouldBeNoticed) {
  const std::filesystem::path oracle = peers::oracle("model");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("model");
  const c10::InferenceMode no_graph;
  const Parameters parameters = load(oracle / "plain").parameters;
  auto expected = read_tensors(oracle / "plain" / "expected.safetensors");
  ASSERT_LE(error_of(parameters, Mutant{"none"}, expected.at("ids"), expected.at("logits")), kGate);
  for (const Mutant& mutant : mutants()) {
    const double error = error_of(parameters, mutant, expected.at("ids"), expected.at("logits"));
    fmt::print("{:<32} {:.3g}\n", mutant.name, error);
    EXPECT_GT(error, 3 * kGate) << mutant.name;
  }
}

}  // namespace
}  // namespace diopter::model
