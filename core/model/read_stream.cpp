#include "model/read_stream.hpp"

#include <ATen/ATen.h>

#include "base/error.hpp"
#include "model/linear.hpp"
#include "model/norm.hpp"

namespace diopter::model {
namespace {

// One of q, k, v, each head from its own input: input [batch, pos, head, D], weight [head, D, e], bias [head, e].
at::Tensor per_head(const at::Tensor& input, const Norm& norm, const at::Tensor& weight, const at::Tensor& bias) {
  const Index batch = input.size(0), pos = input.size(1), heads = input.size(2);
  const at::Tensor rows =
      normalize(input, norm).reshape({batch * pos, heads, input.size(3)}).transpose(0, 1);  // [head, row, D]
  const at::Tensor out =
      bias.defined() ? at::baddbmm(bias.unsqueeze(1), rows, weight) : at::bmm(rows, weight);  // [head, row, e]
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
  const Index heads = info.n_heads, kv_heads = info.n_kv_heads, e = info.d_head;
  if (info.qkv == QkvLayout::Separate) {
    const auto own = [&](Part weight, Part bias) {
      return affine(normalized, parameters.get(weight, layer), parameters.get(bias, layer)).unflatten(-1, {-1, e});
    };
    return {own(Part::QWeight, Part::QBias), own(Part::KWeight, Part::KBias), own(Part::VWeight, Part::VBias)};
  }
  const at::Tensor joint =
      affine(normalized, parameters.get(Part::QkvWeight, layer), parameters.get(Part::QkvBias, layer));
  if (info.qkv == QkvLayout::ByHead) {
    const at::Tensor parts = joint.unflatten(-1, {heads, 3, e});
    return {parts.select(-2, 0), parts.select(-2, 1), parts.select(-2, 2)};
  }
  const at::Tensor rows = joint.unflatten(-1, {heads + 2 * kv_heads, e});
  return {rows.narrow(-2, 0, heads), rows.narrow(-2, heads, kv_heads), rows.narrow(-2, heads + kv_heads, kv_heads)};
}

Qkv project_keys(const Parameters& parameters, Index layer, const at::Tensor& normalized) {
  const ModelInfo& info = parameters.info();
  const Index kv_heads = info.n_kv_heads, e = info.d_head, first = info.n_heads * e, both = 2 * kv_heads * e;
  if (info.qkv == QkvLayout::ByHead) return project(parameters, layer, normalized);
  const auto get = [&](Part part) -> const at::Tensor& { return parameters.get(part, layer); };
  if (info.qkv == QkvLayout::Separate) {
    return {{},
            affine(normalized, get(Part::KWeight), get(Part::KBias)).unflatten(-1, {-1, e}),
            affine(normalized, get(Part::VWeight), get(Part::VBias)).unflatten(-1, {-1, e})};
  }
  const at::Tensor& bias = get(Part::QkvBias);
  const at::Tensor rows = affine(normalized, get(Part::QkvWeight).narrow(1, first, both),
                                 bias.defined() ? bias.narrow(0, first, both) : bias)
                              .unflatten(-1, {2 * kv_heads, e});
  return {{}, rows.narrow(-2, 0, kv_heads), rows.narrow(-2, kv_heads, kv_heads)};
}

HeadProjection::HeadProjection(const Parameters& parameters, Index layer, Point branch)
    : parameters_(parameters), layer_(layer) {
  const bool queries = branch == Point::QInput, keys = branch == Point::KInput;
  DIOPTER_CHECK(queries || keys || branch == Point::VInput, "only q_input, k_input and v_input are read by head");
  weight_ = parameters.canonical(queries ? "W_Q" : keys ? "W_K" : "W_V", layer);
  bias_ = parameters.canonical(queries ? "b_Q" : keys ? "b_K" : "b_V", layer);
}

at::Tensor HeadProjection::operator()(Index head, const at::Tensor& input) const {
  const at::Tensor bias = bias_.defined() ? bias_.narrow(0, head, 1) : bias_;
  return per_head(input.unsqueeze(1).unsqueeze(0), stream_norm(parameters_, Part::Ln1Gain, layer_),
                  weight_.narrow(0, head, 1), bias)
      .flatten(0, 2);
}

Qkv read_stream(const Parameters& parameters, Index layer, const at::Tensor& resid_pre, const Shown& shown,
                bool split_inputs) {
  const ModelInfo& info = parameters.info();
  const Norm norm = stream_norm(parameters, Part::Ln1Gain, layer);
  Branch all = branch(Point::AttnIn, info.n_heads, {}, split_inputs, resid_pre, shown);
  const Branch q = branch(Point::QInput, info.n_heads, all.input, all.split, resid_pre, shown);
  const at::Tensor for_kv = info.n_kv_heads == info.n_heads ? all.input : at::Tensor();
  const Branch k = branch(Point::KInput, info.n_kv_heads, for_kv, all.split, resid_pre, shown);
  const Branch v = branch(Point::VInput, info.n_kv_heads, for_kv, all.split, resid_pre, shown);

  const at::Tensor normalized = normalize(resid_pre, norm, shown, Point::Ln1Scale, Point::Ln1Normalized);
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
