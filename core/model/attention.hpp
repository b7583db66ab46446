// Attention proper: queries, keys and values of one layer to z.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/attention_mask.hpp"
#include "model/shown.hpp"

namespace diopter::model {

// Query head h reads key/value head h / (heads / kv_heads).
struct Heads {
  const at::Tensor& q;      // [batch, pos, head, d_head]
  const at::Tensor &k, &v;  // [batch, key, kv_head, d_head]
};

struct ScoreRule {
  double scale = 1;    // scores = q . k * scale
  double softcap = 0;  // then c tanh(scores / c); 0: not
};

// The fused kernel, where it can (no soft cap); z [batch, pos, head, d_head].
at::Tensor fused_attention(const Heads& heads, const ScoreRule& rule, const AttentionMask& mask);

// Scores, mask, softmax, product with v; shows hook_attn_scores and hook_pattern [batch, head, pos, key].
// A row of scores that is -inf throughout becomes a pattern of 0.
at::Tensor explicit_attention(const Heads& heads, const ScoreRule& rule, const AttentionMask& mask, const Shown* shown);

}  // namespace diopter::model
