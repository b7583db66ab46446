// Attention proper: queries, keys and values of one layer to z.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/attention_mask.hpp"
#include "model/shown.hpp"

namespace diopter::model {

struct Heads {
  const at::Tensor& q;      // [batch, pos, head, d_head]
  const at::Tensor &k, &v;  // [batch, key, head, d_head]
};

// The fused kernel; z [batch, pos, head, d_head].
at::Tensor fused_attention(const Heads& heads, double scale, const AttentionMask& mask);

// Scores q.k * scale, mask, softmax, product with v; shows hook_attn_scores and hook_pattern [batch, head, pos, key].
// A row of scores that is -inf throughout becomes a pattern of 0.
at::Tensor explicit_attention(const Heads& heads, double scale, const AttentionMask& mask, const Shown* shown);

}  // namespace diopter::model
