// Random weights.
#pragma once

#include <ATen/core/Generator.h>

#include <diopter/training.hpp>

#include "model/parameters.hpp"

namespace diopter::engine {

// float32 on the CPU, drawn slot by slot in the order of model::slots. Gains 1, biases 0.
model::Parameters initial_parameters(const ModelInfo& shape, const Init& init, at::Generator generator);

}  // namespace diopter::engine
