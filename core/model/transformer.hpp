// The decoder-only transformer, cut into pieces that can be called on their own.
//
// Immutable: every function is const and keeps nothing between calls, so that threads may share one object. Works on
// any device and floating dtype of its parameters, and under autograd. Right padding: a token id of -1 is a pad
// (embedded as token 0); what pads produce is finite and seen by no real position.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

#include <diopter/hook_name.hpp>

#include "model/attention.hpp"
#include "model/attention_mask.hpp"
#include "model/kv_cache.hpp"
#include "model/parameters.hpp"
#include "model/rotary.hpp"
#include "model/shown.hpp"
#include "model/tap.hpp"

namespace diopter::model {

// Paths that give equal numbers up to rounding. Wanting or editing a value takes the slower one where it must; setting
// a field takes it everywhere, so that base and edited runs use the same kernels and a no-op edit changes no bit. ln1.*
// describe the input that the branches share. A branch with an edited input, or one whose input is shown while a graph
// is recorded, or any under split_inputs, leaves it: then an edit or a gradient of ln1.* of that layer does not reach
// the branch.
struct ExecutionPath {
  bool explicit_attention = false;  // scores, softmax, product instead of the fused kernel
  bool split_inputs = false;  // each head its own norm and q, k, v product, as after an edit of attn_in or q/k/v_input
  bool per_head_result = false;  // attn_out as a sum of heads, as after an edit of result
};

// How one call runs.
struct Pass {
  Tap* tap = nullptr;  // none: nothing is shown
  ExecutionPath path = {};
};

// Where the rows of one call stand. The default: positions go on after the cache, or from 0.
struct Rows {
  KvCache* cache =
      nullptr;  // earlier keys and values; the new ones are appended (advance() is the caller's, or forward's)
  at::Tensor positions = {};  // int64 [batch or 1, pos], absolute; for the position embedding and the rotation
  AttentionMask mask = AttentionMask::causal();
};

struct Qkv {
  at::Tensor q;     // [..., head, d_head]
  at::Tensor k, v;  // [..., kv_head, d_head]
};

class Transformer {
 public:
  // `parameters` must pass Parameters::check. UserError(Refused) for a configuration the forward does not implement.
  explicit Transformer(Parameters parameters);

  const ModelInfo& info() const noexcept { return parameters_.info(); }
  const HookTable& hooks() const noexcept { return hooks_; }
  const Parameters& parameters() const noexcept { return parameters_; }

  // ids: int64 [batch, pos] -> logits [batch, pos, d_vocab]; advances rows.cache.
  at::Tensor forward(const at::Tensor& ids, const Pass& pass = {}, const Rows& rows = {}) const;
  // The same without final norm and unembedding: the residual stream after the last block [batch, pos, d_model].
  at::Tensor residual(const at::Tensor& ids, const Pass& pass = {}, const Rows& rows = {}) const;

  // ---- the pieces, in order; with a tap they show their points
  at::Tensor embed(const at::Tensor& ids, const Pass& pass = {},
                   const Rows& rows = {}) const;  // -> [batch, pos, d_model]
  at::Tensor block(Index layer, const at::Tensor& resid, const Pass& pass = {},
                   const Rows& rows = {}) const;  // same shape
  at::Tensor final_norm(const at::Tensor& resid, const Pass& pass = {}) const;
  at::Tensor unembed(const at::Tensor& normalized, const Pass& pass = {}) const;  // [..., d_model] -> [..., d_vocab]

  // ---- parts of a block, on rows of any leading shape; with a tap, which wants [batch, pos, ...], they show their
  // points. block() is their composition, bit for bit:
  //   raw = read(resid_pre); {q, k, v} = place(raw); z = attend(q, k, v); attn_out = after_attention(attention_sum(z));
  //   resid_mid = attn_out + resid_pre; resid_post = mlp_out(resid_mid) + resid_mid,
  // of a parallel block mlp_out(resid_pre) + resid_mid.
  Qkv read(Index layer, const at::Tensor& resid_pre, const Pass& pass = {}) const;  // ln1 and the projections
  Qkv read_keys_values(Index layer, const at::Tensor& resid_pre) const;  // the same without q, which stays undefined
  // Norms of q (where there is one) and k, and the rotation by `positions` (int64, broadcastable to [...], wanted by
  // rotary models only).
  Qkv place(Index layer, Qkv raw, const at::Tensor& positions, const Pass& pass = {}) const;
  Qkv qkv(Index layer, const at::Tensor& resid_pre, const at::Tensor& positions = {}) const;  // place(read())
  // q [batch, pos, head, d_head], k, v [batch, key, kv_head, d_head] -> z [batch, pos, head, d_head]
  at::Tensor attend(Index layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const AttentionMask& mask, const ExecutionPath& path = {}) const;
  // [..., head, d_head] -> [..., d_model], with b_O
  at::Tensor attention_sum(Index layer, const at::Tensor& z, const Pass& pass = {}) const;
  at::Tensor after_attention(Index layer, at::Tensor sum, const Pass& pass = {}) const;  // the norm, where there is one
  at::Tensor attn_out(Index layer, const at::Tensor& z) const;  // after_attention(attention_sum())
  at::Tensor result(Index layer, const at::Tensor& z) const;    // -> [..., head, d_model], without b_O
  // mlp_in [..., d_model]; includes ln2, b_out and the norm after it.
  at::Tensor mlp_out(Index layer, const at::Tensor& mlp_in, const Pass& pass = {}) const;
  // mlp.hook_pre, of gated blocks with mlp.hook_pre_linear, -> mlp.hook_post
  at::Tensor neurons(const at::Tensor& pre, const at::Tensor& linear = {}) const;
  at::Tensor mlp_from_neurons(Index layer, const at::Tensor& post,
                              const Pass& pass = {}) const;  // from mlp.hook_post on
  // Logits of chosen tokens only: normalized [row, d_model], tokens int64 [row, n] -> [row, n]; float32 of models in
  // bfloat16 and float16, whose own logits have two and three digits.
  at::Tensor token_logits(const at::Tensor& normalized, const at::Tensor& tokens) const;
  ScoreRule score_rule(Index layer) const noexcept;

 private:
  Angles angles(const Rows& rows, Index count) const;
  Shown shown(Index layer, const Pass& pass) const { return {pass.tap, ids_.at(static_cast<std::size_t>(layer))}; }
  at::Tensor after_mlp(Index layer, at::Tensor sum, const Shown& shown) const;
  Qkv placed(Index layer, Qkv qkv, const Angles& angles, const Shown& shown) const;
  at::Tensor capped(at::Tensor logits) const;

  Parameters parameters_;
  Rotary rotary_;
  HookTable hooks_;
  std::vector<std::array<HookId, static_cast<std::size_t>(Point::Count)>>
      ids_;  // [layer][point]; no search in a forward
};

}  // namespace diopter::model
