// The canonical configuration of a decoder-only transformer: what families map their config keys to.
// Source of the table: Hugging Face configurations; names of sizes as in TransformerLens.
#pragma once

#include <string>
#include <vector>

#include <diopter/base.hpp>

namespace diopter {
inline namespace abi1 {

enum class NormKind { LayerNorm, RmsNorm, None };  // None: parts read the stream as it is
enum class PositionKind { Learned, Rotary, None };
enum class Activation { GeluNew, Gelu, QuickGelu, Silu, Relu, Solu };  // Solu: x softmax(x) over the neurons
enum class RopeKind { Plain, Linear, Llama3 };
// How a checkpoint holds the projections to q, k and v; changes no number.
enum class QkvLayout {
  Parts,    // one matrix, columns q | k | v
  ByHead,   // one matrix, columns [head, q | k | v, d_head]
  Separate  // three
};
enum class BosPolicy { Prepend, None };  // the family's convention (TransformerLens 2.x's default)

// Frequencies of the rotary embedding: theta^(-2i / rotary_dims), then divided by `factor` (Linear) or by a share of it
// that depends on the wavelength (Llama3; transformers' _compute_llama3_parameters).
struct Rope {
  RopeKind kind = RopeKind::Plain;
  double theta = 10000, factor = 1, low_freq_factor = 1, high_freq_factor = 4;
  Index original_n_ctx = 0;
};

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
  // Rotary positions: the first rotary_dims entries of q and k of a head turn, entry i with i + rotary_dims / 2.
  Index rotary_dims = 0;
  Rope rope;
  std::vector<Index> windows;  // [layer] a query sees this many keys, its own last; 0 or no entry: all earlier ones
  double score_softcap = 0, logit_softcap = 0;  // c tanh(x / c) of scores before the mask, of logits; 0: none
  double embed_scale = 1;                       // the token embedding is multiplied by this
  bool query_key_norm = false;                  // RMSNorm of each head's q and k, before they turn
  bool post_norms = false;                      // a norm on attn_out and mlp_out before they are added
  bool norm_bias = true, qkv_bias = true, out_bias = true, mlp_bias = true, unembed_bias = false;
  QkvLayout qkv = QkvLayout::Parts;
  bool norm_gain = true;  // false: the files store no gains of ln1, ln2 and ln_final; they are ones

  Index window(Index layer) const {
    return layer < static_cast<Index>(windows.size()) ? windows[static_cast<std::size_t>(layer)] : 0;
  }
};

}  // namespace abi1
}  // namespace diopter
