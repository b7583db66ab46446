// The weights of a transformer in the layout the forward multiplies with, and as views in the canonical layout.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <diopter/model_info.hpp>

namespace diopter::model {

// D d_model, H heads, G key/value heads, e d_head, F d_mlp, V vocabulary, N n_ctx. y = x W + b.
enum class Part : std::uint8_t {
  Embed,          // [V, D]
  PosEmbed,       // [N, D]
  Ln1Gain,        // [D]             from here to Ln2PostGain: one per layer
  Ln1Bias,        // [D]
  QkvWeight,      // [D, (H + 2G) e] columns q | k | v, each head-major; or [head, q | k | v, e] (QkvLayout)
  QkvBias,        // [(H + 2G) e]
  QWeight,        // [D, H e]        these six instead of the two above under QkvLayout::Separate
  KWeight,        // [D, G e]
  VWeight,        // [D, G e]
  QBias,          // [H e]
  KBias,          // [G e]
  VBias,          // [G e]
  QNormGain,      // [e]
  KNormGain,      // [e]
  OutWeight,      // [H e, D]
  OutBias,        // [D]
  Ln1PostGain,    // [D]
  Ln2Gain,        // [D]
  Ln2Bias,        // [D]
  MlpGateWeight,  // [D, F]
  MlpGateBias,    // [F]
  MlpInWeight,    // [D, F]
  MlpInBias,      // [F]
  MlpOutWeight,   // [F, D]
  MlpOutBias,     // [D]
  Ln2PostGain,    // [D]
  LnFinalGain,    // [D]
  LnFinalBias,    // [D]
  Unembed,        // [V, D]; tied: the Embed tensor itself
  UnembedBias,    // [V]
  Count
};

inline constexpr bool is_per_layer(Part part) { return part >= Part::Ln1Gain && part <= Part::Ln2PostGain; }

bool is_gain(Part part);
bool is_product(Part part);  // a matrix of a block that rows of values are multiplied with

struct Slot {
  Part part = Part::Embed;
  Index layer = -1;  // -1: model level
};

// What a model of this configuration has, in the order of the forward; without Unembed when it is tied.
std::vector<Slot> slots(const ModelInfo& info);
std::vector<Index> slot_shape(const ModelInfo& info, Part part);
std::string slot_name(Slot slot);  // "blocks.3.qkv_weight", "embed"; for messages, optimiser states and seeds

// A value: handles to tensors, cheap to copy, copies share memory. Mapped weights are read-only memory.
class Parameters {
 public:
  Parameters() = default;
  explicit Parameters(const ModelInfo& info);  // every tensor undefined

  // Undefined when the model has no such part. Unembed of a tied model is Embed.
  const at::Tensor& get(Part part, Index layer = -1) const;
  void set(Slot slot, at::Tensor value);
  const ModelInfo& info() const noexcept { return info_; }

  // A copy in which `f` made each tensor; called once per slot, in slots() order. clone, dtype, device, random init ...
  Parameters transformed(const std::function<at::Tensor(Slot, const at::Tensor&)>& f) const;

  // All slots filled with tensors of slot_shape, one floating dtype and one device; else DIOPTER_CHECK. Gains may be in
  // float32 beside other dtypes: they are then applied before the norm's result is rounded. Matrices of the blocks may
  // be in a lower precision beside float32: products are then made in that.
  void check() const;

  // A view in the canonical layout: W_E [V,D] W_pos [N,D] W_U [D,V]; per layer W_Q [H,D,e] W_K W_V [G,D,e] W_O [H,e,D]
  // W_in W_gate [D,F] W_out [F,D] b_Q [H,e] b_K b_V [G,e] b_O [D] b_in b_gate [F] b_out [D] ln1_w ln1_b ln1_post_w
  // ln2_w ln2_b ln2_post_w q_norm_w k_norm_w [e]; ln_final_w ln_final_b b_U [V]. Gains as they are multiplied.
  // Undefined for a role that exists but that this model lacks. UserError(Usage) for an unknown role,
  // or a layer that is missing, out of range or not wanted.
  at::Tensor canonical(std::string_view role, Index layer = kUnset) const;

 private:
  at::Tensor in_values(const at::Tensor& stored, Part part) const;

  ModelInfo info_;
  std::array<at::Tensor, static_cast<std::size_t>(Part::Count)> model_level_;
  std::vector<std::array<at::Tensor, static_cast<std::size_t>(Part::Count)>> layers_;
};

}  // namespace diopter::model
