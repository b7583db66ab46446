#include "model/norm.hpp"

#include <ATen/ATen.h>

namespace diopter::model {
namespace {

at::Tensor in_float(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

at::Tensor exact_scale(const at::Tensor& centred, double eps) { return (centred.square().mean(-1, true) + eps).sqrt(); }

// A gain of x's own low precision multiplies the rounded value, one in float32 the exact value (Gemma), as
// transformers does it.
at::Tensor with_gain(const at::Tensor& exact, const Norm& norm, at::ScalarType dtype) {
  if (norm.gain.scalar_type() == dtype) return exact.to(dtype) * norm.gain;
  return (exact * norm.gain).to(dtype);
}

at::Tensor over_root_mean_square(const at::Tensor& wide, double eps) {
  return wide * (wide.square().mean(-1, true) + eps).rsqrt();
}

at::Tensor rms_norm(const at::Tensor& x, const Norm& norm) {
  return with_gain(over_root_mean_square(in_float(x), norm.eps), norm, x.scalar_type());
}

at::Tensor rms_norm(const at::Tensor& x, const Norm& norm, const Shown& shown, Point scale_point, Point normalized) {
  if (!shown.wants(scale_point) && !shown.wants(normalized)) return rms_norm(x, norm);
  const at::Tensor wide = in_float(x);
  at::Tensor divided;
  if (shown.wants(scale_point)) {
    const at::Tensor exact = exact_scale(wide, norm.eps), scale = exact.to(x.scalar_type());
    const at::Tensor used = shown.at(scale_point, scale);
    if (replaces(used, scale)) divided = wide / (used.is_same(scale) ? exact : used.to(wide.scalar_type()));
  }
  if (!divided.defined()) divided = over_root_mean_square(wide, norm.eps);
  if (!shown.wants(normalized)) return with_gain(divided, norm, x.scalar_type());
  const at::Tensor rounded = divided.to(x.scalar_type());
  const at::Tensor given = shown.at(normalized, rounded);
  return with_gain(given.is_same(rounded) ? divided : in_float(given), norm, x.scalar_type());
}

at::Tensor layer_norm(const at::Tensor& x, const Norm& norm) {
  return at::layer_norm(x, {x.size(-1)}, norm.gain, norm.bias, norm.eps);
}

at::Tensor layer_norm_with_scale_shown(const at::Tensor& x, const Norm& norm, const Shown& shown, Point point) {
  const at::Tensor wide = in_float(x);
  const at::Tensor centred = wide - wide.mean(-1, true);
  const at::Tensor exact = exact_scale(centred, norm.eps);
  const at::Tensor scale = exact.to(x.scalar_type());
  const at::Tensor used = shown.at(point, scale);
  if (!replaces(used, scale)) return layer_norm(x, norm);
  const at::Tensor divisor = used.is_same(scale) ? exact : used.to(wide.scalar_type());
  const at::Tensor scaled = (centred / divisor).to(x.scalar_type()) * norm.gain;
  return norm.bias.defined() ? scaled + norm.bias : scaled;
}

Part bias_of(Part gain) {
  switch (gain) {
    case Part::Ln1Gain: return Part::Ln1Bias;
    case Part::Ln2Gain: return Part::Ln2Bias;
    case Part::LnFinalGain: return Part::LnFinalBias;
    default: return gain;
  }
}

}  // namespace

Norm stream_norm(const Parameters& parameters, Part gain, Index layer) {
  static const at::Tensor none;
  const Part bias = bias_of(gain);
  return {parameters.info().norm, parameters.get(gain, layer), bias == gain ? none : parameters.get(bias, layer),
          parameters.info().norm_eps};
}

at::Tensor normalize(const at::Tensor& x, const Norm& norm) {
  if (norm.kind == NormKind::None) return x;
  return norm.kind == NormKind::RmsNorm ? rms_norm(x, norm) : layer_norm(x, norm);
}

at::Tensor normalize(const at::Tensor& x, const Norm& norm, const Shown& shown, Point scale, Point normalized) {
  if (norm.kind == NormKind::None) return x;
  if (norm.kind == NormKind::RmsNorm) return rms_norm(x, norm, shown, scale, normalized);
  return shown.at(normalized,
                  shown.wants(scale) ? layer_norm_with_scale_shown(x, norm, shown, scale) : layer_norm(x, norm));
}

}  // namespace diopter::model
