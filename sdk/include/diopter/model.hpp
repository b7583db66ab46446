// The model of a run, as a plugin sees it.
#pragma once

#include <string>

#include <diopter/hook_name.hpp>

namespace diopter {
inline namespace abi1 {

struct Direction {
  Tensor u;     // [prompt, d_model]
  Tensor bias;  // [prompt]
};
struct Read {
  Index top_k = 0;
  Tensor targets = {};  // int64 [prompt, n]
  // Another residual: KL(kl_from || resid) is computed. Of the shape of resid or of its last dimensions: layers read
  // together, [layer, prompt, pos, d_model], share one [prompt, pos, d_model], which then is unembedded once.
  Tensor kl_from = {};
  bool entropy = false;
};
struct Readout {
  Tensor token, log_prob;                             // [..., rank]
  Tensor kl, entropy;                                 // [...]; nat
  Tensor target_logit, target_log_prob, target_rank;  // [..., n]; rank 0 = best
};

class ModelBackend;

class DIOPTER_API Model {
 public:
  const ModelInfo& info() const;
  const HookTable& hook_table() const;
  std::span<const HookPoint> hooks() const { return hook_table().points(); }  // forward order
  Tensor unembed(
      const Tensor& resid) const;  // [..., d_model] -> [..., d_vocab]; final norm with the rows' own statistics
  Readout read(const Tensor& resid, const Read& what) const;  // of the same, by chunks; never [..., d_vocab] at once
  // u = w_f * (W_U[:, answer] - W_U[:, foil]), less its mean over d_model under LayerNorm; bias from b_U + c_f W_U.
  // Parts of the stream contribute part . u / ln_final.hook_scale (part . u in a model without norms); with the bias
  // they sum to the logit difference.
  // needs(Weights)
  Direction logit_direction(const Tensor& answer, const Tensor& foil = {}) const;  // int64 [prompt]
  // Canonical layout: W_E [V,D] W_pos W_U [D,V] b_U; per layer W_Q [H,D,e] W_K W_V W_O [H,e,D] W_in [D,F] W_out [F,D]
  // b_Q ..., ln1_w ln1_b ln2_w ... ln_final_w. Read-only, clone() before changing; undefined if the model has none.
  // needs(Weights)
  Tensor weight(Text role, Index layer = kUnset) const;
  Index token(Text text) const;         // exactly one token, else an Error listing the pieces. needs(Tokenizer)
  std::string text(Index token) const;  // needs(Tokenizer)
  Tensor encode(Text text) const;       // int64 [n], no BOS. needs(Tokenizer)

  explicit Model(ModelBackend& backend) : backend_(&backend) {}

 private:
  ModelBackend* backend_;
};

}  // namespace abi1
}  // namespace diopter
