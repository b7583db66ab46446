// The canonical configuration of a decoder-only transformer: what families map their config keys to.
// Source of the table: Hugging Face configurations; names of sizes as in TransformerLens.
#pragma once

#include <string>

#include <diopter/base.hpp>

namespace diopter {
inline namespace abi1 {

enum class NormKind { LayerNorm, RmsNorm };
enum class PositionKind { Learned, Rotary, None };
enum class Activation { GeluNew, Gelu, QuickGelu, Silu, Relu };
enum class BosPolicy { Prepend, None };  // the family's convention (TransformerLens 2.x's default)

struct ModelInfo {
  std::string name;    // as the manifest gives it: "organism", "gpt2"
  std::string family;  // "gpt2"
  Index n_layers = 0, n_heads = 0, n_kv_heads = 0, d_model = 0, d_head = 0, d_mlp = 0, d_vocab = 0, n_ctx = 0;
  NormKind norm = NormKind::LayerNorm;
  double norm_eps = 1e-5;
  PositionKind positions = PositionKind::Learned;
  Activation activation = Activation::GeluNew;
  double attention_scale = 0;           // scores = q.k * this; 1/sqrt(d_head) for GPT-2
  bool scale_by_inverse_layer = false;  // scores of layer l divided by l + 1 as well (GPT-2's flag)
  bool parallel_block = false, attention_only = false, gated_mlp = false, tied_embeddings = true;
  BosPolicy bos = BosPolicy::Prepend;
};

}  // namespace abi1
}  // namespace diopter
