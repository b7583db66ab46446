// config.json of GPT-2: what is read, and what is refused with which words.
#include "model/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "core/model/random_model.hpp"

namespace diopter::model {
namespace {

using base::Json;
using ::testing::HasSubstr;

Json gpt2() {
  return {{"model_type", "gpt2"}, {"n_layer", 2},     {"n_head", 3},
          {"n_embd", 12},         {"n_positions", 7}, {"vocab_size", 11}};
}

std::string refusal(const Json& config) {
  try {
    parse_config(config, "config.json");
  } catch (const base::UserError& error) {
    EXPECT_EQ(error.exit(), base::Exit::Refused);
    return error.what();
  }
  ADD_FAILURE() << "expected a refusal";
  return {};
}

std::string refusal(const char* key, const Json& value) {
  Json config = gpt2();
  config[key] = value;
  return refusal(config);
}

ModelInfo with(const char* key, const Json& value) {
  Json config = gpt2();
  config[key] = value;
  return parse_config(config, "config.json");
}

TEST(Gpt2Config, ReadsSizesAndDefaults) {
  const ModelInfo info = parse_config(gpt2(), "config.json");
  EXPECT_EQ(info.family, "gpt2");
  EXPECT_EQ(info.n_layers, 2);
  EXPECT_EQ(info.n_heads, 3);
  EXPECT_EQ(info.n_kv_heads, 3);
  EXPECT_EQ(info.d_model, 12);
  EXPECT_EQ(info.d_head, 4);
  EXPECT_EQ(info.d_mlp, 48);
  EXPECT_EQ(info.n_ctx, 7);
  EXPECT_EQ(info.d_vocab, 11);
  EXPECT_EQ(info.norm_eps, 1e-5);
  EXPECT_EQ(info.activation, Activation::GeluNew);
  EXPECT_EQ(info.attention_scale, 0.5);
  EXPECT_TRUE(info.tied_embeddings);
  EXPECT_FALSE(info.scale_by_inverse_layer);
}

TEST(Gpt2Config, ReadsWhatChangesNumbers) {
  EXPECT_EQ(with("n_inner", 5).d_mlp, 5);
  EXPECT_EQ(with("n_inner", nullptr).d_mlp, 48);
  EXPECT_EQ(with("activation_function", "gelu").activation, Activation::Gelu);
  EXPECT_EQ(with("activation_function", "gelu_pytorch_tanh").activation, Activation::GeluNew);
  EXPECT_EQ(with("activation_function", "relu").activation, Activation::Relu);
  EXPECT_EQ(with("layer_norm_epsilon", 1e-6).norm_eps, 1e-6);
  EXPECT_EQ(with("scale_attn_weights", false).attention_scale, 1.0);
  EXPECT_TRUE(with("scale_attn_by_inverse_layer_idx", true).scale_by_inverse_layer);
  EXPECT_FALSE(with("tie_word_embeddings", false).tied_embeddings);
  EXPECT_EQ(with("n_ctx", 7).n_ctx, 7);
  EXPECT_EQ(with("resid_pdrop", 0.3).n_ctx, 7);
}

TEST(Gpt2Config, RefusesWhatItWouldComputeWrongly) {
  EXPECT_THAT(refusal("activation_function", "geglu"),
              HasSubstr("expected one of gelu_new, gelu_pytorch_tanh, gelu_fast"));
  EXPECT_THAT(refusal("activation_function", "geglu"), HasSubstr("as 'activation_function', got \"geglu\""));
  EXPECT_THAT(refusal("reorder_and_upcast_attn", true),
              HasSubstr("expected false as 'reorder_and_upcast_attn', got true"));
  EXPECT_THAT(refusal("add_cross_attention", true), HasSubstr("'add_cross_attention'"));
  EXPECT_THAT(refusal("n_embd", 13), HasSubstr("expected a multiple of n_head = 3 as 'n_embd', got 13"));
  EXPECT_THAT(refusal("n_ctx", 8), HasSubstr("expected the value of n_positions, 7, as 'n_ctx', got 8"));
  EXPECT_THAT(refusal("n_layer", 0), HasSubstr("expected a whole number of at least 1 as 'n_layer', got 0"));
  EXPECT_THAT(refusal("n_layer", -1), HasSubstr("as 'n_layer', got -1"));
  EXPECT_THAT(refusal("n_layer", 1.5), HasSubstr("as 'n_layer', got 1.5"));
  EXPECT_THAT(refusal("vocab_size", "11"), HasSubstr("as 'vocab_size', got \"11\""));
  EXPECT_THAT(refusal("vocab_size", 1ULL << 60), HasSubstr("'vocab_size'"));
  EXPECT_THAT(refusal("layer_norm_epsilon", 0), HasSubstr("expected a number above 0 as 'layer_norm_epsilon'"));
  EXPECT_THAT(refusal("scale_attn_weights", 1), HasSubstr("expected true or false as 'scale_attn_weights'"));
}

TEST(Gpt2Config, RefusesUnknownKeysUnlessTheyAreOff) {
  EXPECT_THAT(refusal("rope_theta", 10000.0), HasSubstr("got 'rope_theta' = 10000.0, which might change the numbers"));
  EXPECT_THAT(refusal("layer_norm_epsilom", 1e-6), HasSubstr("(did you mean 'layer_norm_epsilon'?)"));
  EXPECT_THAT(refusal("pruned_heads", Json{{"0", {1}}}), HasSubstr("'pruned_heads'"));
  EXPECT_NO_THROW(with("pruned_heads", Json::object()));
  EXPECT_NO_THROW(with("some_new_switch", false));
  EXPECT_NO_THROW(with("some_new_value", nullptr));
}

TEST(Config, NamesTheFamiliesThereAre) {
  Json config = gpt2();
  config["model_type"] = "gpt3";
  EXPECT_THAT(refusal(config),
              HasSubstr("expected a model family diopter has, got model_type 'gpt3' (did you mean 'gpt2'?)"));
  config["model_type"] = "mamba";
  EXPECT_THAT(refusal(config),
              HasSubstr("'mamba' (known: gpt2, gpt_neox, llama, mistral, qwen2, qwen3, gemma2, nanogpt, mingpt, "
                        "hooked_transformer)"));
  config.erase("model_type");
  EXPECT_THAT(refusal(config), HasSubstr("expected a string as 'model_type'"));
  EXPECT_THAT(refusal(Json::array()), HasSubstr("expected a string as 'model_type'"));
}

TEST(Config, WhatIsWrittenIsReadBack) {
  ModelInfo info = testing::tiny_info();
  for (const Activation activation :
       {Activation::GeluNew, Activation::Gelu, Activation::QuickGelu, Activation::Silu, Activation::Relu}) {
    info.activation = activation;
    info.tied_embeddings = !info.tied_embeddings;
    info.scale_by_inverse_layer = !info.scale_by_inverse_layer;
    info.attention_scale = info.tied_embeddings ? 1.0 : 1 / std::sqrt(5.0);
    const ModelInfo back = parse_config(config_json(info), "written");
    EXPECT_EQ(back.activation, activation);
    EXPECT_EQ(back.tied_embeddings, info.tied_embeddings);
    EXPECT_EQ(back.scale_by_inverse_layer, info.scale_by_inverse_layer);
    EXPECT_EQ(back.attention_scale, info.attention_scale);
    EXPECT_EQ(back.d_mlp, info.d_mlp);
    EXPECT_EQ(back.d_head, info.d_head);
    EXPECT_EQ(back.norm_eps, info.norm_eps);
  }
  info.attention_only = true;
  EXPECT_THROW(config_json(info), base::UserError);
}

TEST(Config, ArchitecturesTheForwardLacksAreRefused) {
  const auto refused = [](const auto& change) {
    ModelInfo info = testing::tiny_info();
    change(info);
    try {
      check_supported(info);
    } catch (const base::UserError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refused([](ModelInfo&) {}), "accepted");
  EXPECT_THAT(refused([](ModelInfo& info) { info.n_kv_heads = 3; }),
              HasSubstr("got one with 4 query heads for 3 key/value heads, which is not a multiple"));
  EXPECT_THAT(refused([](ModelInfo& info) { info.n_kv_heads = 2, info.qkv = QkvLayout::ByHead; }),
              HasSubstr("grouped key/value heads in a matrix ordered by head"));
  EXPECT_THAT(refused([](ModelInfo& info) { info.positions = PositionKind::Rotary, info.rotary_dims = 3; }),
              HasSubstr("3 rotary entries of 5 in a head"));
}

}  // namespace
}  // namespace diopter::model
