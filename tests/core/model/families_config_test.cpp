// config.json of the families beside GPT-2: both generations of keys, what contradicts itself, what is not computed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "model/config.hpp"

namespace diopter::model {
namespace {

using base::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Json llama_config() {
  return {{"model_type", "llama"},         {"num_hidden_layers", 2}, {"num_attention_heads", 4},
          {"num_key_value_heads", 2},      {"hidden_size", 32},      {"intermediate_size", 48},
          {"max_position_embeddings", 64}, {"vocab_size", 97},       {"rms_norm_eps", 1e-5}};
}

Json neox_config() {
  return {{"model_type", "gpt_neox"}, {"num_hidden_layers", 2},        {"num_attention_heads", 4}, {"hidden_size", 64},
          {"intermediate_size", 48},  {"max_position_embeddings", 64}, {"vocab_size", 97}};
}

Json with(Json config, const char* key, Json value) {
  config[key] = std::move(value);
  return config;
}

std::string refused(const Json& config) {
  try {
    parse_config(config, "config.json");
  } catch (const base::UserError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(FamiliesConfig, BothGenerationsOfRotaryKeysMeanTheSame) {
  Json old = with(with(llama_config(), "rope_theta", 500000.0), "rope_scaling",
                  {{"rope_type", "llama3"},
                   {"factor", 8.0},
                   {"low_freq_factor", 1.0},
                   {"high_freq_factor", 4.0},
                   {"original_max_position_embeddings", 16}});
  Json parameters = old["rope_scaling"];
  parameters["rope_theta"] = 500000.0;
  const Json current = with(llama_config(), "rope_parameters", parameters);
  for (const Json& config : {old, current, with(old, "rope_parameters", parameters)}) {
    const ModelInfo info = parse_config(config, "config.json");
    EXPECT_EQ(info.rope.kind, RopeKind::Llama3);
    EXPECT_EQ(info.rope.theta, 500000.0);
    EXPECT_EQ(info.rope.factor, 8.0);
    EXPECT_EQ(info.rope.original_n_ctx, 16);
    EXPECT_EQ(info.rotary_dims, 8);
  }
  parameters["factor"] = 4.0;
  EXPECT_THAT(refused(with(old, "rope_parameters", parameters)),
              HasSubstr("expected what rope_theta and rope_scaling say as well as 'rope_parameters'"));

  Json neox = with(with(neox_config(), "rotary_pct", 0.5), "rotary_emb_base", 700);
  EXPECT_EQ(parse_config(neox, "").rotary_dims, 8);
  EXPECT_EQ(parse_config(neox, "").rope.theta, 700);
  EXPECT_EQ(parse_config(neox_config(), "").rotary_dims, 4);  // a quarter
  EXPECT_THAT(refused(with(neox, "rope_parameters", {{"rope_theta", 700}, {"partial_rotary_factor", 0.25}})),
              HasSubstr("expected the value of rotary_pct, 0.5, as 'partial_rotary_factor', got 0.25"));
}

TEST(FamiliesConfig, NeoxNamesOfBothKindsMustAgree) {
  const Json newer = with(with(neox_config(), "rope_theta", 700), "partial_rotary_factor", 0.5);
  EXPECT_EQ(parse_config(newer, "").rope.theta, 700);
  EXPECT_EQ(parse_config(newer, "").rotary_dims, 8);
  const Json both = with(with(newer, "rotary_emb_base", 700), "rotary_pct", 0.5);
  EXPECT_EQ(parse_config(both, "").rotary_dims, 8);
  EXPECT_THAT(refused(with(both, "rope_theta", 10000)),
              HasSubstr("expected the value of rotary_emb_base, 700, as 'rope_theta', got 10000"));
  EXPECT_THAT(refused(with(both, "partial_rotary_factor", 0.25)),
              HasSubstr("expected the value of rotary_pct, 0.5, as 'partial_rotary_factor', got 0.25"));
}

TEST(FamiliesConfig, OlderFilesOfLinearScalingSayType) {
  const ModelInfo info =
      parse_config(with(llama_config(), "rope_scaling", {{"type", "linear"}, {"factor", 2.0}}), "config.json");
  EXPECT_EQ(info.rope.kind, RopeKind::Linear);
  EXPECT_EQ(info.rope.factor, 2.0);
}

TEST(FamiliesConfig, WhatIsNotComputedIsRefused) {
  for (const char* type : {"dynamic", "yarn", "longrope"}) {
    EXPECT_THAT(
        refused(with(llama_config(), "rope_scaling", {{"rope_type", type}, {"factor", 2.0}})),
        HasSubstr(std::string("expected 'default', 'linear' or 'llama3' as 'rope_type', got \"") + type + "\""));
  }
  EXPECT_THAT(refused(with(llama_config(), "rope_scaling",
                           {{"rope_type", "linear"}, {"factor", 2.0}, {"attention_factor", 1.5}})),
              HasSubstr("got 'attention_factor' = 1.5, which might change the numbers"));
  EXPECT_THAT(refused(with(llama_config(), "num_key_value_heads", 3)),
              HasSubstr("expected a divisor of num_attention_heads = 4 as 'num_key_value_heads', got 3"));
  EXPECT_THAT(refused(with(llama_config(), "hidden_size", 33)),
              HasSubstr("expected a multiple of num_attention_heads = 4 as 'hidden_size', got 33"));
  EXPECT_THAT(refused(with(llama_config(), "hidden_act", "xielu")), HasSubstr("as 'hidden_act', got \"xielu\""));
  EXPECT_THAT(refused(with(llama_config(), "quantization_config", {{"bits", 4}})),
              HasSubstr("'quantization_config' = {\"bits\":4}, which might change the numbers"));
  Json none = llama_config();
  none.erase("vocab_size");
  EXPECT_THAT(refused(none), HasSubstr("expected a whole number of at least 1 as 'vocab_size', got nothing"));
}

TEST(FamiliesConfig, Windows) {
  const auto windows = [](const Json& config) { return parse_config(config, "").windows; };
  const Json mistral = with(llama_config(), "model_type", "mistral");
  EXPECT_THAT(windows(mistral), ElementsAre());
  EXPECT_THAT(windows(with(mistral, "sliding_window", nullptr)), ElementsAre());
  EXPECT_THAT(windows(with(mistral, "sliding_window", 8)), ElementsAre(8, 8));
  Json qwen = with(with(with(llama_config(), "model_type", "qwen2"), "sliding_window", 8), "max_window_layers", 1);
  EXPECT_THAT(windows(qwen), ElementsAre());  // use_sliding_window is off
  EXPECT_THAT(windows(with(qwen, "use_sliding_window", true)), ElementsAre(0, 8));
  EXPECT_THAT(
      windows(with(with(qwen, "use_sliding_window", true), "layer_types", {"sliding_attention", "full_attention"})),
      ElementsAre(8, 0));
  EXPECT_THAT(refused(with(qwen, "layer_types", {"sliding_attention"})), HasSubstr("one entry for each of 2 layers"));
  EXPECT_THAT(refused(with(qwen, "layer_types", {"chunked_attention", "full_attention"})),
              HasSubstr("'full_attention' or 'sliding_attention'"));
  const Json gemma = with(llama_config(), "model_type", "gemma2");
  EXPECT_THAT(windows(gemma), ElementsAre(4096, 0));
}

TEST(FamiliesConfig, EachFamilyHasItsOwnUsage) {
  const auto of = [](const char* type) { return parse_config(with(llama_config(), "model_type", type), ""); };
  EXPECT_EQ(of("llama").bos, BosPolicy::Prepend);
  EXPECT_EQ(of("qwen2").bos, BosPolicy::None);
  EXPECT_EQ(of("qwen3").bos, BosPolicy::None);
  EXPECT_FALSE(of("llama").qkv_bias);
  EXPECT_TRUE(of("qwen2").qkv_bias);
  EXPECT_FALSE(of("qwen2").out_bias);
  EXPECT_TRUE(of("qwen3").query_key_norm);
  EXPECT_TRUE(of("gemma2").post_norms);
  EXPECT_TRUE(of("gemma2").tied_embeddings);
  EXPECT_FALSE(of("llama").tied_embeddings);
  EXPECT_DOUBLE_EQ(of("gemma2").attention_scale, 1.0 / 16);  // query_pre_attn_scalar 256
  EXPECT_DOUBLE_EQ(of("gemma2").embed_scale, std::sqrt(32.0));
}

}  // namespace
}  // namespace diopter::model
