// AdamW (Loshchilov and Hutter 2019), as torch.optim.AdamW computes it, with a clip of the global gradient norm.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include <diopter/training.hpp>

namespace diopter::engine {

struct Moments {
  at::Tensor mean, square;  // of the parameter's shape
};

// One weight and its state. Handles: copies share.
struct Trained {
  at::Tensor weight;  // a leaf that requires gradients
  Moments moments;
  bool decays = false;
};

// Clips, applies and clears the gradients. `step` counts from 1. A weight without a gradient keeps its value and its
// state.
void adamw_step(const std::vector<Trained>& all, const AdamW& with, Index step);

}  // namespace diopter::engine
