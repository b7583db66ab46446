// Small random models: every weight, bias and gain is random, so that nothing cancels.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdlib>
#include <vector>

#include "model/parameters.hpp"
#include "model/placement.hpp"
#include "model/transformer.hpp"

namespace diopter::model::testing {

// Where parity tests run: DIOPTER_TEST_DEVICE (cpu, cuda, cuda:1), else the CPU.
inline at::Device device() {
  const char* name = std::getenv("DIOPTER_TEST_DEVICE");
  return device_named(name == nullptr ? "cpu" : name);
}
inline Parameters placed(const Parameters& parameters) { return on_device(parameters, device()); }

inline ModelInfo tiny_info() {
  ModelInfo info;
  info.family = "gpt2";
  info.n_layers = 3;
  info.n_heads = info.n_kv_heads = 4;
  info.d_model = 20;
  info.d_head = 5;
  info.d_mlp = 28;
  info.d_vocab = 31;
  info.n_ctx = 16;
  info.attention_scale = 1 / std::sqrt(5.0);
  return info;
}

inline Parameters random_parameters(const ModelInfo& info, std::uint64_t seed, at::ScalarType dtype = at::kFloat) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return Parameters(info).transformed([&](Slot slot, const at::Tensor&) {
    const std::vector<Index> shape = slot_shape(info, slot.part);
    const at::Tensor noise = at::randn(shape, generator, at::kFloat);
    const bool gain = slot.part == Part::Ln1Gain || slot.part == Part::Ln2Gain || slot.part == Part::LnFinalGain;
    const double scale = shape.size() == 1         ? 0.3
                         : is_per_layer(slot.part) ? 1 / std::sqrt(static_cast<double>(shape[0]))
                                                   : 0.4;
    return (noise * scale + (gain ? 1.0 : 0.0)).to(dtype);
  });
}

inline Transformer random_model(const ModelInfo& info = tiny_info(), std::uint64_t seed = 1) {
  return Transformer(random_parameters(info, seed));
}

inline at::Tensor random_ids(const ModelInfo& info, Index batch, Index pos, std::uint64_t seed = 2) {
  return at::randint(0, info.d_vocab, {batch, pos}, at::detail::createCPUGenerator(seed), at::kLong);
}

inline double largest(const at::Tensor& x) { return x.numel() == 0 ? 0 : x.abs().max().item<double>(); }
inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return largest(a.to(at::kCPU, at::kDouble) - b.to(at::kCPU, at::kDouble));
}

}  // namespace diopter::model::testing
