// From the residual stream to queries, keys and values, with every point in between shown.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/shown.hpp"
#include "model/transformer.hpp"

namespace diopter::model {

// normalized [..., d_model] -> q [..., head, d_head], k, v [..., kv_head, d_head], by the fused product.
Qkv project(const Parameters& parameters, Index layer, const at::Tensor& normalized);

// The same for k and v; q is undefined where they can be had alone.
Qkv project_keys(const Parameters& parameters, Index layer, const at::Tensor& normalized);

// Single heads of q, k or v, from inputs of their own: as read_stream() does where the branch is split.
class HeadProjection {
 public:
  // `branch`: q_input, k_input or v_input. `parameters` must outlive this.
  HeadProjection(const Parameters& parameters, Index layer, Point branch);
  at::Tensor operator()(Index head, const at::Tensor& input) const;  // [row, d_model] -> [row, d_head]; its norm first

 private:
  const Parameters& parameters_;
  Index layer_;
  at::Tensor weight_, bias_;  // [head, d_model, d_head]; [head, d_head] or undefined
};

// resid_pre [batch, pos, d_model]. Shows attn_in, q/k/v_input, ln1.*, q, k, v. A branch whose input was edited (or
// is shown while a graph is recorded) gets its own norm per head and its own product. ln1.* always describe the shared,
// unedited input: an edit or a gradient of them reaches only the branches that still use it.
Qkv read_stream(const Parameters& parameters, Index layer, const at::Tensor& resid_pre, const Shown& shown,
                bool split_inputs);

}  // namespace diopter::model
