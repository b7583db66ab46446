#include "model/read_stream.hpp"

#include <ATen/ATen.h>

#include "model/linear.hpp"
#include "model/norm.hpp"

namespace diopter::model {
namespace {

Norm ln1(const Parameters& parameters, Index layer) {
  return {parameters.get(Part::Ln1Gain, layer), parameters.get(Part::Ln1Bias, layer), parameters.info().norm_eps};
}

// One of q, k, v, each head from its own input: input [batch, pos, head, D], weight [head, D, e], bias [head, e].
at::Tensor per_head(const at::Tensor& input, const Norm& norm, const at::Tensor& weight, const at::Tensor& bias) {
  const Index batch = input.size(0), pos = input.size(1), heads = input.size(2);
  const at::Tensor rows =
      layer_norm(input, norm).view({batch * pos, heads, input.size(3)}).transpose(0, 1);  // [head, row, D]
  const at::Tensor out = at::baddbmm(bias.unsqueeze(1), rows, weight);                    // [head, row, e]
  return out.transpose(0, 1).reshape({batch, pos, heads, weight.size(2)});
}

struct Branch {
  at::Tensor input;  // [batch, pos, head, D]; undefined: nobody looked
  bool split = false;
};

Branch branch(Point point, Index heads, const at::Tensor& shared_by_head, bool already_split,
              const at::Tensor& resid_pre, const Shown& shown) {
  Branch b{{}, already_split};
  if (!already_split && !shown.wants(point)) return b;
  b.input = shared_by_head.defined()
                ? shared_by_head
                : resid_pre.unsqueeze(2).expand({resid_pre.size(0), resid_pre.size(1), heads, resid_pre.size(2)});
  if (shown.wants(point)) {
    const at::Tensor given = b.input;
    b.input = shown.at(point, given);
    b.split = b.split || replaces(b.input, given);
  }
  return b;
}

}  // namespace

Qkv project(const Parameters& parameters, Index layer, const at::Tensor& normalized) {
  const ModelInfo& info = parameters.info();
  std::vector<Index> shape = normalized.sizes().vec();
  shape.back() = info.n_heads + 2 * info.n_kv_heads;
  shape.push_back(info.d_head);
  const at::Tensor fused =
      affine(normalized, parameters.get(Part::QkvWeight, layer), parameters.get(Part::QkvBias, layer)).view(shape);
  const Index heads = info.n_heads, kv_heads = info.n_kv_heads;
  return {fused.narrow(-2, 0, heads), fused.narrow(-2, heads, kv_heads), fused.narrow(-2, heads + kv_heads, kv_heads)};
}

Qkv read_stream(const Parameters& parameters, Index layer, const at::Tensor& resid_pre, const Shown& shown,
                bool split_inputs) {
  const ModelInfo& info = parameters.info();
  const Norm norm = ln1(parameters, layer);
  Branch all = branch(Point::AttnIn, info.n_heads, {}, split_inputs, resid_pre, shown);
  const Branch q = branch(Point::QInput, info.n_heads, all.input, all.split, resid_pre, shown);
  const Branch k = branch(Point::KInput, info.n_kv_heads, all.input, all.split, resid_pre, shown);
  const Branch v = branch(Point::VInput, info.n_kv_heads, all.input, all.split, resid_pre, shown);

  const at::Tensor normalized = layer_norm(resid_pre, norm, shown, Point::Ln1Scale, Point::Ln1Normalized);
  Qkv out;
  if (!(q.split && k.split && v.split)) out = project(parameters, layer, normalized);
  if (q.split) out.q = per_head(q.input, norm, parameters.canonical("W_Q", layer), parameters.canonical("b_Q", layer));
  if (k.split) out.k = per_head(k.input, norm, parameters.canonical("W_K", layer), parameters.canonical("b_K", layer));
  if (v.split) out.v = per_head(v.input, norm, parameters.canonical("W_V", layer), parameters.canonical("b_V", layer));
  out.q = shown.at(Point::Q, std::move(out.q));
  out.k = shown.at(Point::K, std::move(out.k));
  out.v = shown.at(Point::V, std::move(out.v));
  return out;
}

}  // namespace diopter::model
