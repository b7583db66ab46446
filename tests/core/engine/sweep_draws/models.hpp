// Families of small models: the kinds of block that a sweep meets.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/engine/sweep_draws/choice.hpp"
#include "core/model/block_kinds.hpp"

namespace diopter::engine::testing::draws {

inline constexpr Index kVocabulary = 31, kLongest = 12;  // tokens; positions of the longest prompt

// Which members a family has; `richest` has every hook point that some member has.
struct Family {
  const char* name;
  ModelInfo richest;
  void (*vary)(ModelInfo& info, Point needed);  // `needed` stays
};

namespace family {

inline ModelInfo gpt2() {
  ModelInfo info = model::testing::tiny_info();
  info.n_layers = 2;
  info.n_heads = info.n_kv_heads = 2;
  info.d_model = 8;
  info.d_head = 4;
  info.d_mlp = 6;
  info.d_vocab = kVocabulary;
  info.attention_scale = 0.5;
  return info;
}

inline void vary_gpt2(ModelInfo& info, Point) {
  info.n_heads = info.n_kv_heads = between(2, 3);
  info.d_head = between(3, 5);
  info.attention_scale = 1 / std::sqrt(static_cast<double>(info.d_head));
  info.scale_by_inverse_layer = rarely(4);
  info.tied_embeddings = !rarely(3);
  info.activation = pick<Activation>({Activation::GeluNew, Activation::Relu, Activation::Solu});
}

// As GPT-NeoX: attention and MLP side by side, a part of each head turns.
inline ModelInfo neox() {
  ModelInfo info = model::testing::side_by_side(gpt2());
  info.activation = Activation::Gelu;
  return info;
}

inline void vary_neox(ModelInfo& info, Point) {
  info.n_heads = info.n_kv_heads = between(2, 3);
  info.d_head = pick<Index>({4, 6});
  info.rotary_dims = pick<Index>({2, 4});
  info.unembed_bias = rarely(3);
}

// As Llama and Qwen 3: fewer heads of keys and values than of queries.
inline ModelInfo grouped() {
  ModelInfo info = gpt2();
  info.n_heads = 4;
  info = model::testing::gated(std::move(info));
  info.query_key_norm = true;
  return info;
}

inline void vary_grouped(ModelInfo& info, Point needed) {
  const bool norm_is_needed = needed >= Point::QNormScale && needed <= Point::KNormNormalized;
  info.n_kv_heads = pick<Index>({2, 1});
  info.query_key_norm = norm_is_needed || coin();
  info.qkv_bias = rarely(3);
  info.rope.kind = pick<RopeKind>({RopeKind::Plain, RopeKind::Linear, RopeKind::Llama3});
  if (info.rope.kind != RopeKind::Plain) info.rope.factor = 2;
  info.rope.original_n_ctx = 8;
}

// As Mistral: every layer sees a window shorter than most prompts.
inline ModelInfo windows() {
  ModelInfo info = grouped();
  info.family = "mistral";
  info.query_key_norm = false;
  info.n_kv_heads = 2;
  info.windows = {3, 3, 3, 3};
  return info;
}

inline void vary_windows(ModelInfo& info, Point) { info.windows.assign(4, between(1, 5)); }

// As Gemma 2 (and, with norms of q and k, Gemma 3): windows in every other layer, soft caps, norms after the sums.
inline ModelInfo gemma2() {
  ModelInfo info = grouped();
  info.family = "gemma2";
  info.n_kv_heads = 2;
  info.windows = {3, 0, 3, 0};
  info.score_softcap = 4;
  info.logit_softcap = 6;
  info.embed_scale = 2;
  info.post_norms = true;
  info.activation = Activation::GeluNew;
  info.tied_embeddings = true;
  return info;
}

inline void vary_gemma2(ModelInfo& info, Point needed) {
  const bool norm_is_needed = needed >= Point::QNormScale && needed <= Point::KNormNormalized;
  info.query_key_norm = norm_is_needed || coin();
  const Index window = between(2, 4);
  info.windows = coin() ? std::vector<Index>{0, window, 0, window} : std::vector<Index>{window, 0, window, 0};
}

inline ModelInfo attention_only() {
  ModelInfo info = gpt2();
  info.attention_only = true;
  return info;
}

inline void vary_attention_only(ModelInfo& info, Point needed) {
  info.n_heads = info.n_kv_heads = between(2, 3);
  if (needed != Point::PosEmbed && rarely(3)) info.positions = PositionKind::None;
}

inline ModelInfo no_norm() {
  ModelInfo info = gpt2();
  info.norm = NormKind::None;
  return info;
}

inline void vary_no_norm(ModelInfo& info, Point) { info.out_bias = info.mlp_bias = coin(); }

}  // namespace family

inline const std::vector<Family>& families() {
  static const std::vector<Family> kFamilies = {
      {"gpt2", family::gpt2(), family::vary_gpt2},
      {"neox", family::neox(), family::vary_neox},
      {"grouped", family::grouped(), family::vary_grouped},
      {"windows", family::windows(), family::vary_windows},
      {"gemma2", family::gemma2(), family::vary_gemma2},
      {"attention_only", family::attention_only(), family::vary_attention_only},
      {"no_norm", family::no_norm(), family::vary_no_norm},
  };
  return kFamilies;
}

// A member that has the point.
inline ModelInfo draw_model(const Family& family, Point needed) {
  ModelInfo info = family.richest;
  info.n_layers = pick<Index>({2, 1, 3, 4});
  family.vary(info, needed);
  info.name = family.name;
  return info;
}

}  // namespace diopter::engine::testing::draws
