// From the stream after the last block to logits, for packed rows, with the edits that act there.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engine/metric_reader.hpp"
#include "engine/packed/row_tap.hpp"
#include "model/transformer.hpp"

namespace diopter::engine {

class AfterBlocks {
 public:
  // `rows`: the stream after the last block. `tap` sees the points behind it; both `model` and `tap` outlive this.
  AfterBlocks(const model::Transformer& model, RowTap& tap, Rows rows);
  AfterBlocks(const AfterBlocks&) = delete;  // what seen() gives refers to it
  AfterBlocks& operator=(const AfterBlocks&) = delete;

  // Logits at points of a reader: `row_of` says which of the rows each point is.
  SeenLogits seen(at::Tensor points, at::Tensor row_of);
  double operations() const noexcept { return operations_; }  // of what was unembedded so far

 private:
  at::Tensor logits(const at::Tensor& rows);  // int64 [n] -> [n, d_vocab]
  at::Tensor token_logits(const at::Tensor& rows, const at::Tensor& tokens);

  const model::Transformer& model_;
  RowTap& tap_;
  std::vector<RowAt> at_;
  at::Tensor normalized_;  // [row, d_model]
  bool logits_shown_;
  double operations_ = 0;
};

}  // namespace diopter::engine
