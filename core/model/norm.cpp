#include "model/norm.hpp"

#include <ATen/ATen.h>

namespace diopter::model {
namespace {

at::Tensor with_scale_shown(const at::Tensor& x, const Norm& norm, const Shown& shown, Point point) {
  const at::Tensor wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  const at::Tensor centred = wide - wide.mean(-1, true);
  const at::Tensor exact = (centred.square().mean(-1, true) + norm.eps).sqrt();
  const at::Tensor scale = exact.to(x.scalar_type());
  const at::Tensor used = shown.at(point, scale);
  if (!replaces(used, scale)) return layer_norm(x, norm);
  const at::Tensor divisor = used.is_same(scale) ? exact : used.to(wide.scalar_type());
  return (centred / divisor).to(x.scalar_type()) * norm.gain + norm.bias;
}

}  // namespace

at::Tensor layer_norm(const at::Tensor& x, const Norm& norm) {
  return at::layer_norm(x, {x.size(-1)}, norm.gain, norm.bias, norm.eps);
}

at::Tensor layer_norm(const at::Tensor& x, const Norm& norm, const Shown& shown, Point scale, Point normalized) {
  return shown.at(normalized, shown.wants(scale) ? with_scale_shown(x, norm, shown, scale) : layer_norm(x, norm));
}

}  // namespace diopter::model
