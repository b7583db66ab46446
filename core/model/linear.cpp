#include "model/linear.hpp"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>

namespace diopter::model {
namespace {

using PointwiseLinear = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                                   std::string_view, at::List<std::optional<at::Scalar>>,
                                   std::optional<std::string_view>);

// oneDNN's product, for which LibTorch has no C++ function; null in builds without it.
const c10::TypedOperatorHandle<PointwiseLinear>* onednn_linear() {
  static const auto handle = []() -> std::optional<c10::TypedOperatorHandle<PointwiseLinear>> {
    const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    if (!found || !at::globalContext().userEnabledMkldnn()) return std::nullopt;
    return found->typed<PointwiseLinear>();
  }();
  return handle ? &*handle : nullptr;
}

// Where its constant cost per call (15 us) is little: it reaches 96 % of the peak from 40 rows on, where at::addmm
// needs hundreds (docs/performance.md).
constexpr std::int64_t kLeastProduct = 4 << 20;

bool use_onednn(const at::Tensor& rows, const at::Tensor& weight) {
  const bool float32 = rows.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
  // A part of a larger matrix would take its slow reference kernel.
  return float32 && weight.is_non_overlapping_and_dense() && rows.device().is_cpu() && !c10::GradMode::is_enabled() &&
         rows.numel() * weight.size(1) >= kLeastProduct && onednn_linear() != nullptr;
}

at::Tensor onednn(const at::Tensor& rows, const at::Tensor& weight, const at::Tensor& bias) {
  const std::optional<at::Tensor> added = bias.defined() ? std::optional(bias) : std::nullopt;
  return onednn_linear()->call(rows, weight.t(), added, "none", c10::List<std::optional<at::Scalar>>(), "");
}

// Values in float32, the product in the weight's precision (model.compute); the sum with the bias in float32 again.
at::Tensor mixed(const at::Tensor& rows, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor low = rows.to(weight.scalar_type());
  const bool direct = rows.device().is_cpu() && weight.is_non_overlapping_and_dense() && onednn_linear() != nullptr &&
                      !c10::GradMode::is_enabled();
  const at::Tensor product = (direct ? onednn(low, weight, {}) : at::mm(low, weight)).to(rows.scalar_type());
  return bias.defined() ? product + bias : product;
}

}  // namespace

at::Tensor affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(1);
  const at::Tensor rows = x.reshape({-1, weight.size(0)});
  if (weight.scalar_type() != rows.scalar_type()) return mixed(rows, weight, bias).view(shape);
  if (use_onednn(rows, weight)) return onednn(rows, weight, bias).view(shape);
  return (bias.defined() ? at::addmm(bias, rows, weight) : at::mm(rows, weight)).view(shape);
}

at::Tensor sum(at::Tensor a, const at::Tensor& b, bool reuse_a) {
  if (!reuse_a || c10::GradMode::is_enabled()) return a + b;
  return a.add_(b);
}

}  // namespace diopter::model
