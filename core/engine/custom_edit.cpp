#include "engine/custom_edit.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <diopter/error.hpp>

namespace diopter::engine {
namespace {

std::string shape_text(const Tensor& value) { return fmt::format("[{}]", fmt::join(value.sizes(), ", ")); }

[[noreturn]] void wrong(const std::string& got, const std::string& required) {
  throw Error(fmt::format("it returned {} where {} is required.", got, required));
}

}  // namespace

Tensor guarded(const EditFn& edit, const Tensor& value, const HookPoint& point) {
  const auto version = value._version();  // rises with every in-place operator, also through views
  Tensor returned = edit(value, point);
  if (value._version() != version) throw Error("it changed its argument in place; return a new tensor instead.");
  if (!returned.defined()) wrong("no tensor", shape_text(value));
  if (returned.sizes() != value.sizes()) wrong(shape_text(returned), shape_text(value));
  if (returned.scalar_type() != value.scalar_type()) {
    wrong(at::toString(returned.scalar_type()), at::toString(value.scalar_type()));
  }
  if (returned.device() != value.device()) wrong("a tensor on " + returned.device().str(), value.device().str());
  return returned;
}

}  // namespace diopter::engine
