#include "model/rotary.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <numbers>

namespace diopter::model {
namespace {

constexpr Index kTabulated = 4096;  // positions; longer prompts compute theirs

// Wavelengths below original_n_ctx / high_freq_factor stay, those above original_n_ctx / low_freq_factor are divided by
// `factor`, those between by a blend (transformers' _compute_llama3_parameters).
at::Tensor llama3_scaled(const at::Tensor& frequencies, const Rope& rope) {
  const double old = static_cast<double>(rope.original_n_ctx);
  const double low = old / rope.low_freq_factor, high = old / rope.high_freq_factor;
  const at::Tensor wavelength = 2 * std::numbers::pi / frequencies, divided = frequencies / rope.factor;
  const at::Tensor smooth = (old / wavelength - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
  const at::Tensor blend = (1 - smooth) * divided + smooth * frequencies;
  return at::where(wavelength.lt(high), frequencies, at::where(wavelength.gt(low), divided, blend));
}

at::Tensor frequencies(const ModelInfo& info) {
  const at::Tensor exponents =
      at::arange(0, info.rotary_dims, 2, at::kLong).to(at::kFloat) / static_cast<double>(info.rotary_dims);
  const at::Tensor plain = 1.0 / at::pow(info.rope.theta, exponents);
  switch (info.rope.kind) {
    case RopeKind::Linear: return plain / info.rope.factor;
    case RopeKind::Llama3: return llama3_scaled(plain, info.rope);
    case RopeKind::Plain: break;
  }
  return plain;
}

}  // namespace

Rotary::Rotary(const ModelInfo& info, const at::Tensor& like) : dtype_(like.scalar_type()), dims_(info.rotary_dims) {
  if (info.positions != PositionKind::Rotary) return;
  frequencies_ = frequencies(info).to(like.device());
  table_ = computed(at::arange(std::min(info.n_ctx, kTabulated), like.options().dtype(at::kLong)));
}

Angles Rotary::computed(const at::Tensor& positions) const {
  const at::Tensor angle = positions.unsqueeze(-1).to(at::kFloat) * frequencies_;
  return {angle.cos().to(dtype_), angle.sin().to(dtype_)};
}

Angles Rotary::at_range(Index first, Index count) const {
  if (first + count > table_.cos.size(0)) {
    return computed(at::arange(first, first + count, frequencies_.options().dtype(at::kLong)));
  }
  return {table_.cos.narrow(0, first, count), table_.sin.narrow(0, first, count)};
}

Angles Rotary::at_positions(const at::Tensor& positions) const { return computed(positions.to(frequencies_.device())); }

at::Tensor Rotary::turned(const at::Tensor& x, const Angles& angles) const {
  const Index half = dims_ / 2;
  const at::Tensor cos = angles.cos.unsqueeze(-2), sin = angles.sin.unsqueeze(-2);  // [..., pos, 1, r/2]
  const at::Tensor a = x.narrow(-1, 0, half), b = x.narrow(-1, half, half);
  const at::Tensor first = a * cos - b * sin, second = b * cos + a * sin;
  if (dims_ == x.size(-1)) return at::cat({first, second}, -1);
  return at::cat({first, second, x.narrow(-1, dims_, x.size(-1) - dims_)}, -1);
}

}  // namespace diopter::model
