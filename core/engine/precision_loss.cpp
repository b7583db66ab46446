#include "engine/precision_loss.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "engine/metric_values.hpp"
#include "model/precision.hpp"

namespace diopter::engine {

double rounding_of(at::ScalarType dtype) {
  switch (dtype) {
    case at::kBFloat16: return 1e-2;
    case at::kHalf: return 1.5e-3;
    case at::kDouble: return 1e-14;
    default: return 3e-6;
  }
}

namespace {

// The first rows and positions of a batch.
at::Tensor some_ids(const model::Transformer& model, const RowBatch& batch) {
  constexpr Index kRows = 4, kPositions = 128;
  return batch.ids.narrow(0, 0, std::min(kRows, batch.ids.size(0)))
      .narrow(1, 0, std::min(kPositions, batch.ids.size(1)))
      .to(model.parameters().get(model::Part::Embed).device());
}

PrecisionLoss loss_of(const at::Tensor& ids, const at::Tensor& low_logits, const at::Tensor& exact_logits) {
  const at::Tensor real = (ids >= 0).flatten().nonzero().squeeze(1);
  const at::Tensor low = low_logits.flatten(0, 1).index_select(0, real).to(at::kDouble);
  const at::Tensor exact = exact_logits.flatten(0, 1).index_select(0, real).to(at::kDouble);
  return {.positions = real.size(0),
          .largest_logit = exact.abs().max().item<double>(),
          .largest_difference = (low - exact).abs().max().item<double>(),
          .largest_kl = divergence(exact.log_softmax(-1), low.log_softmax(-1)).max().item<double>(),
          .same_top = (low.argmax(-1) == exact.argmax(-1)).sum().item<Index>()};
}

}  // namespace

PrecisionLoss precision_loss(const model::Transformer& model, const RowBatch& batch) {
  const at::Tensor ids = some_ids(model, batch);
  return loss_of(ids, model.forward(ids), model::float_logits(model, ids));
}

PrecisionLoss precision_loss(const model::Transformer& model, const model::Transformer& exact, const RowBatch& batch) {
  const at::Tensor ids = some_ids(model, batch);
  return loss_of(ids, model.forward(ids), exact.forward(ids));
}

std::string sentence(const PrecisionLoss& loss, const std::string& what) {
  return fmt::format(
      "{} against float32 on {} positions of these prompts: logits differ by at most {:.2g} (largest logit {:.3g}), KL "
      "at most {:.2g} nats, {} of {} likeliest tokens the same",
      what, loss.positions, loss.largest_difference, loss.largest_logit, loss.largest_kl, loss.same_top,
      loss.positions);
}

}  // namespace diopter::engine
