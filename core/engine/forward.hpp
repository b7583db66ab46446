// One forward of a batch under a hook bus, and its logits where they are asked for.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <vector>

#include "engine/bus.hpp"
#include "engine/row_batch.hpp"
#include "model/transformer.hpp"

namespace diopter::engine {

// How far a forward goes, and by which kernels; equal for all runs that are compared, so that a no-op changes no bit.
struct ForwardPath {
  model::ExecutionPath kernels = {.explicit_attention = true};
  bool all_normalized = false;  // final norm of every position: a hook point between it and the unembedding is used
  bool all_logits = false;      // unembedding of every position

  void use(Point point);  // this hook point is read or edited in one of the runs
};

// (row, position) pairs at which something is read off.
struct Points {
  at::Tensor row, pos;  // int64 [n], on the model's device
  Index size() const { return row.defined() ? row.size(0) : 0; }
};

class ForwardResult {
 public:
  ForwardResult(const model::Transformer& model, at::Tensor resid, at::Tensor normalized, at::Tensor logits)
      : model_(&model), resid_(std::move(resid)), normalized_(std::move(normalized)), logits_(std::move(logits)) {}

  const at::Tensor& resid() const noexcept { return resid_; }  // [batch, pos, d_model] what enters the final norm
  const at::Tensor& all_logits() const noexcept {
    return logits_;
  }                                               // [batch, pos, d_vocab], undefined unless path.all_logits
  at::Tensor logits(const Points& points) const;  // [n, d_vocab]
  at::Tensor token_logits(const Points& points, const at::Tensor& tokens) const;  // int64 [n, m] -> [n, m]
  // Adds the products by which logits are made from here on, for this and its copies, to a number that all share.
  void count_into(std::shared_ptr<double> operations) { operations_ = std::move(operations); }
  Index vocabulary() const noexcept { return model_->info().d_vocab; }
  at::Tensor every_logit() const;  // [batch, pos, d_vocab], made if need be

 private:
  at::Tensor normalized_at(const Points& points) const;  // [n, d_model]
  void count(Index rows, Index columns) const;           // of the unembedding

  const model::Transformer* model_;
  at::Tensor resid_, normalized_, logits_;
  std::shared_ptr<double> operations_;  // null: not counted
};

// `bus` is frozen; null: nothing is shown. `rows`: where the rows stand, when they go on after cached ones.
ForwardResult forward(const model::Transformer& model, const RowBatch& batch, HookBus* bus, const ForwardPath& path,
                      const model::Rows& rows = {});

}  // namespace diopter::engine
