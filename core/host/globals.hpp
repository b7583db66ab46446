// Process-wide settings of LibTorch, and the model's weights, before and after a plugin ran.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace diopter::host {

struct Globals {
  bool grad_mode = false, deterministic = false;
  at::ScalarType default_dtype = at::kFloat;
  int threads = 1;

  static Globals now();
  void restore() const;
  // Names of what differs: "the grad mode", "the default dtype", "the number of threads", "the deterministic flag".
  std::vector<std::string> differences(const Globals& before) const;
};

// In-place writes raise a tensor's version counter, also through views.
class WeightVersions {
 public:
  explicit WeightVersions(std::vector<at::Tensor> weights);
  std::vector<std::size_t> changed() const;

 private:
  std::vector<at::Tensor> weights_;
  std::vector<std::uint32_t> versions_;
};

}  // namespace diopter::host
