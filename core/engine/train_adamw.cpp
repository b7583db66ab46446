#include "engine/train_adamw.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "engine/thread_team.hpp"

namespace diopter::engine {
namespace {

// As torch.nn.utils.clip_grad_norm_: one factor for all gradients.
void clip_gradients(const std::vector<Trained>& all, double longest) {
  double squares = 0;
  {
    const SerialOperators serial;  // a norm that threads share would round as they are many
    for (const Trained& one : all) {
      if (!one.weight.grad().defined()) continue;
      const double norm = at::linalg_vector_norm(one.weight.grad()).item<double>();
      squares += norm * norm;
    }
  }
  const double factor = longest / (std::sqrt(squares) + 1e-6);
  if (factor >= 1) return;
  for (const Trained& one : all) {
    if (one.weight.grad().defined()) one.weight.mutable_grad().mul_(factor);
  }
}

}  // namespace

void adamw_step(const std::vector<Trained>& all, const AdamW& with, Index step) {
  const c10::NoGradGuard no_grad;
  if (with.clip > 0) clip_gradients(all, with.clip);
  const double mean_correction = 1 - std::pow(with.beta1, static_cast<double>(step));
  const double square_correction = std::sqrt(1 - std::pow(with.beta2, static_cast<double>(step)));
  for (const Trained& one : all) {
    at::Tensor weight = one.weight, mean = one.moments.mean, square = one.moments.square;
    const at::Tensor gradient = weight.grad();
    if (!gradient.defined()) continue;
    if (one.decays) weight.mul_(1 - with.lr * with.weight_decay);
    mean.lerp_(gradient, 1 - with.beta1);
    square.mul_(with.beta2).addcmul_(gradient, gradient, 1 - with.beta2);
    weight.addcdiv_(mean, (square.sqrt() / square_correction).add_(with.eps), -with.lr / mean_correction);
    weight.mutable_grad().reset();
  }
}

}  // namespace diopter::engine
