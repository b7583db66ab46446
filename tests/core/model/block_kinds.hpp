// Kinds of block that tests of the engine and of analyses try, in any sizes: as families build them, with sizes kept.
#pragma once

#include <cmath>
#include <utility>

#include "core/model/random_model.hpp"

namespace diopter::model::testing {

// As many heads of keys and values as of queries; scores divided by the root of `d_head`.
inline ModelInfo with_heads(ModelInfo info, Index heads, Index d_head) {
  info.n_heads = info.n_kv_heads = heads;
  info.d_head = d_head;
  info.attention_scale = 1 / std::sqrt(static_cast<double>(d_head));
  return info;
}

// As GPT-NeoX: attention and MLP side by side, half of each head turns.
inline ModelInfo side_by_side(ModelInfo info) {
  info.family = "gpt_neox";
  info.positions = PositionKind::Rotary;
  info.rotary_dims = info.d_head / 2;
  info.parallel_block = true;
  info.tied_embeddings = false;
  info.qkv = QkvLayout::ByHead;
  return info;
}

// As Llama: a gated MLP, norms by the root mean square, no biases, whole heads turn.
inline ModelInfo gated(ModelInfo info) {
  info.family = "llama";
  info.norm = NormKind::RmsNorm;
  info.norm_bias = info.qkv_bias = info.out_bias = info.mlp_bias = false;
  info.positions = PositionKind::Rotary;
  info.rotary_dims = info.d_head;
  info.gated_mlp = true;
  info.activation = Activation::Silu;
  info.qkv = QkvLayout::Separate;
  info.tied_embeddings = false;
  return info;
}

// As Mistral: gated, two heads of queries for each of keys and values, a window in every layer.
inline ModelInfo grouped_in_windows(ModelInfo info, Index window) {
  info = gated(std::move(info));
  info.family = "mistral";
  info.n_kv_heads = info.n_heads / 2;
  info.windows.assign(static_cast<std::size_t>(info.n_layers), window);
  return info;
}

// As Gemma 2: gated, with norms behind attention and MLP.
inline ModelInfo post_norms(ModelInfo info) {
  info = gated(std::move(info));
  info.family = "gemma2";
  info.post_norms = true;
  info.embed_scale = 2;
  info.tied_embeddings = true;
  return info;
}

}  // namespace diopter::model::testing
