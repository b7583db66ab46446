#include "model/mlp.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "model/linear.hpp"

namespace diopter::model {
namespace {

at::Tensor activated(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::GeluNew: return at::gelu(x, "tanh");
    case Activation::Gelu: return at::gelu(x, "none");
    case Activation::QuickGelu: return x * at::sigmoid(1.702 * x);
    case Activation::Silu: return at::silu(x);
    case Activation::Relu: return at::relu(x);
    case Activation::Solu: return x * at::softmax(x, -1);
  }
  return {};
}

// The same numbers in the memory of `x`.
at::Tensor activated_in_place(at::Tensor x, Activation activation) {
  switch (activation) {
    case Activation::GeluNew: return at::gelu_(x, "tanh");
    case Activation::Gelu: return at::gelu_(x, "none");
    case Activation::Silu: return at::silu_(x);
    case Activation::Relu: return at::relu_(x);
    case Activation::QuickGelu:
    case Activation::Solu: break;
  }
  return activated(x, activation);
}

}  // namespace

at::Tensor neurons(const ModelInfo& info, const at::Tensor& pre, const at::Tensor& linear) {
  const at::Tensor post = activated(pre, info.activation);
  return info.gated_mlp ? post * linear : post;
}

at::Tensor mlp(const Parameters& parameters, Index layer, const at::Tensor& normalized, const Shown* shown) {
  const auto at_layer = [&](Part part) -> const at::Tensor& { return parameters.get(part, layer); };
  const auto show = [&](Point point, at::Tensor value) {
    return shown ? shown->at(point, std::move(value)) : std::move(value);
  };
  const Activation activation = parameters.info().activation;
  const bool gated = parameters.info().gated_mlp;
  const bool pre_is_ours = !c10::GradMode::is_enabled() && !(shown && shown->wants(Point::MlpPre));
  at::Tensor pre =
      show(Point::MlpPre, gated ? affine(normalized, at_layer(Part::MlpGateWeight), at_layer(Part::MlpGateBias))
                                : affine(normalized, at_layer(Part::MlpInWeight), at_layer(Part::MlpInBias)));
  at::Tensor linear;  // [..., F]
  if (gated)
    linear = show(Point::MlpPreLinear, affine(normalized, at_layer(Part::MlpInWeight), at_layer(Part::MlpInBias)));
  at::Tensor post;
  if (pre_is_ours) {
    post = activated_in_place(std::move(pre), activation);
    if (gated) post.mul_(linear);
  } else {
    post = neurons(parameters.info(), pre, linear);
  }
  post = show(Point::MlpPost, std::move(post));
  return affine(post, at_layer(Part::MlpOutWeight), at_layer(Part::MlpOutBias));
}

}  // namespace diopter::model
