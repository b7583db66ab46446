// Where a model's numbers lie.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "model/parameters.hpp"

namespace diopter::model {

// "auto" and "cpu": the CPU; "cuda", "cuda:1": that GPU. UserError(Refused) when this LibTorch or this machine has
// none.
at::Device device_named(const std::string& name);

// The same tensors where they already are there; else copies.
Parameters on_device(const Parameters& parameters, at::Device device);

}  // namespace diopter::model
