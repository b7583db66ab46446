#include "model/shown.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"

namespace diopter::model {

at::Tensor Shown::show(HookId id, at::Tensor value) const {
  const std::vector<std::int64_t> shape = value.sizes().vec();
  const at::ScalarType dtype = value.scalar_type();
  at::Tensor returned = tap_->at(id, std::move(value));
  DIOPTER_CHECK(returned.defined() && returned.sizes() == at::IntArrayRef(shape) && returned.scalar_type() == dtype,
                fmt::format("a tap returned a tensor of another shape or dtype for hook {}: expected [{}]", id,
                            fmt::join(shape, ", ")));
  return returned;
}

bool replaces(const at::Tensor& returned, const at::Tensor& shown) {
  if (c10::GradMode::is_enabled() && (returned.requires_grad() || shown.requires_grad())) return true;
  return !returned.is_same(shown) && !at::equal(returned, shown);
}

}  // namespace diopter::model
