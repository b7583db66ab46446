#include "engine/train_loss.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace diopter::engine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kChunk = 256;  // tokens: logits of 256 x 2,628 floats stay in cache

struct Sums {
  at::Tensor loss;
  at::Tensor by_input, by_unembed;  // gradients; undefined unless wanted
};

// x [token, d_model], all of them counted.
Sums chunked(const at::Tensor& x, const at::Tensor& unembed, const at::Tensor& targets, bool with_gradients) {
  Sums sums{at::zeros({}, x.options()), {}, {}};
  if (with_gradients) {
    sums.by_input = at::empty_like(x);
    sums.by_unembed = at::zeros_like(unembed);
  }
  for (std::int64_t first = 0; first < x.size(0); first += kChunk) {
    const std::int64_t count = std::min(kChunk, x.size(0) - first);
    const at::Tensor rows = x.narrow(0, first, count), target = targets.narrow(0, first, count).unsqueeze(1);
    at::Tensor logits = at::mm(rows, unembed.t());  // [token, d_vocab]
    const at::Tensor log_sum = logits.logsumexp(1, true);
    sums.loss += (log_sum - logits.gather(1, target)).sum();
    if (!with_gradients) continue;
    at::Tensor error = logits.sub_(log_sum).exp_();  // softmax - one hot
    error.scatter_add_(1, target, at::full_like(log_sum, -1.0));
    at::Tensor by_rows = sums.by_input.narrow(0, first, count);
    at::mm_out(by_rows, error, unembed);
    sums.by_unembed.addmm_(error.t(), rows);
  }
  return sums;
}

class SummedCrossEntropy : public torch::autograd::Function<SummedCrossEntropy> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& normalized, const at::Tensor& unembed,
                            const at::Tensor& targets, bool with_gradients) {
    const at::Tensor flat = normalized.reshape({-1, normalized.size(-1)});
    const at::Tensor counted = targets.reshape({-1}).ge(0).nonzero().squeeze(1);
    const Sums sums =
        chunked(flat.index_select(0, counted), unembed, targets.reshape({-1}).index_select(0, counted), with_gradients);
    if (with_gradients) {
      const at::Tensor by_input = at::zeros_like(flat).index_copy_(0, counted, sums.by_input).view(normalized.sizes());
      context->save_for_backward({by_input, sums.by_unembed});
    }
    return sums.loss;
  }

  static variable_list backward(AutogradContext* context, const variable_list& incoming) {
    const variable_list saved = context->get_saved_variables();
    return {saved.at(0) * incoming.at(0), saved.at(1) * incoming.at(0), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor summed_cross_entropy(const at::Tensor& normalized, const at::Tensor& unembed, const at::Tensor& targets) {
  return SummedCrossEntropy::apply(normalized, unembed, targets, at::GradMode::is_enabled());
}

}  // namespace diopter::engine
