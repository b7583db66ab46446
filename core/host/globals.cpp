#include "host/globals.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

namespace diopter::host {

Globals Globals::now() {
  return {c10::GradMode::is_enabled(), at::globalContext().deterministicAlgorithms(),
          at::get_default_dtype_as_scalartype(), at::get_num_threads()};
}

void Globals::restore() const {
  c10::GradMode::set_enabled(grad_mode);
  at::globalContext().setDeterministicAlgorithms(deterministic, at::globalContext().deterministicAlgorithmsWarnOnly());
  at::set_default_dtype(c10::scalarTypeToTypeMeta(default_dtype));
  if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

std::vector<std::string> Globals::differences(const Globals& before) const {
  std::vector<std::string> names;
  if (grad_mode != before.grad_mode) names.emplace_back("the grad mode");
  if (default_dtype != before.default_dtype) names.emplace_back("the default dtype");
  if (threads != before.threads) names.emplace_back("the number of threads");
  if (deterministic != before.deterministic) names.emplace_back("the deterministic flag");
  return names;
}

namespace {

// Inference tensors have no counter; nothing can write to them in place either.
std::uint32_t version_of(const at::Tensor& tensor) {
  return tensor.defined() && !tensor.is_inference() ? static_cast<std::uint32_t>(tensor._version()) : 0;
}

}  // namespace

WeightVersions::WeightVersions(std::vector<at::Tensor> weights) : weights_(std::move(weights)) {
  for (const at::Tensor& weight : weights_) versions_.push_back(version_of(weight));
}

std::vector<std::size_t> WeightVersions::changed() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (version_of(weights_[i]) != versions_[i]) out.push_back(i);
  }
  return out;
}

}  // namespace diopter::host
