// Configurations of TransformerLens, nanoGPT and minGPT: what they mean, what is not computed, and weights that
// contradict them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "base/files.hpp"
#include "core/model/random_model.hpp"
#include "core/weights/files.hpp"
#include "core/weights/torch_bytes.hpp"
#include "model/config.hpp"
#include "model/config_source.hpp"
#include "model/load.hpp"
#include "model/transforms.hpp"
#include "weights/safetensors_file.hpp"
#include "weights/safetensors_writer.hpp"

namespace diopter::model {
namespace {

using base::Json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::random_parameters;
using weights::testing::Folder;
using weights::testing::refusal;

Json lens_config(const Json& changes = Json::object()) {
  Json config = {{"model_type", "hooked_transformer"},
                 {"n_layers", 2},
                 {"d_model", 24},
                 {"d_head", 8},
                 {"n_heads", 3},
                 {"n_ctx", 16},
                 {"d_vocab", 31},
                 {"d_mlp", 40},
                 {"act_fn", "relu"}};
  config.update(changes);
  return config;
}

ModelInfo lens_info(const Json& changes = Json::object()) { return parse_config(lens_config(changes), "config.json"); }

TEST(LayoutsConfig, TransformerLensKeysMeanWhatItComputes) {
  EXPECT_DOUBLE_EQ(lens_info().attention_scale, 1 / std::sqrt(8.0));
  EXPECT_DOUBLE_EQ(lens_info({{"attn_scale", 2.5}}).attention_scale, 0.4);
  EXPECT_DOUBLE_EQ(lens_info({{"attn_scale", -1.0}}).attention_scale, 1 / std::sqrt(8.0));
  EXPECT_DOUBLE_EQ(lens_info({{"use_attn_scale", false}, {"attn_scale", 2.5}}).attention_scale, 1);
  EXPECT_EQ(lens_info({{"n_heads", -1}}).n_heads, 3);
  EXPECT_EQ(lens_info().norm, NormKind::LayerNorm);
  EXPECT_TRUE(lens_info().norm_gain);
  EXPECT_EQ(lens_info({{"normalization_type", nullptr}}).norm, NormKind::None);
  EXPECT_EQ(lens_info({{"normalization", "LNPre"}}).norm, NormKind::LayerNorm);
  EXPECT_FALSE(lens_info({{"normalization", "LNPre"}}).norm_gain);
  EXPECT_EQ(lens_info({{"normalization_type", "RMSPre"}, {"final_rms", true}}).norm, NormKind::RmsNorm);
  EXPECT_EQ(lens_info({{"attn_scores_soft_cap", -1.0}, {"output_logits_soft_cap", 30.0}}).logit_softcap, 30);
  EXPECT_EQ(lens_info({{"d_mlp", nullptr}}).d_mlp, 96);
  EXPECT_THAT(lens_info({{"use_local_attn", true}, {"window_size", 5}, {"attn_types", {"global", "local"}}}).windows,
              ElementsAre(0, 5));
  EXPECT_EQ(lens_info({{"default_prepend_bos", false}}).bos, BosPolicy::None);
  const ModelInfo only = lens_info({{"attn_only", true}, {"d_mlp", nullptr}, {"act_fn", nullptr}});
  EXPECT_TRUE(only.attention_only);
  // As its author publishes models: the keys of a training run beside it.
  EXPECT_EQ(
      lens_info({{"shortformer_pos", false}, {"lr_hidden", 0.002}, {"dataset_name", "c4"}, {"architecture", "neel"}})
          .positions,
      PositionKind::Learned);
}

TEST(LayoutsConfig, WhatIsNotComputedIsRefusedByName) {
  const std::vector<std::pair<const char*, Json>> refused{{"positional_embedding_type", "shortformer"},
                                                          {"positional_embedding_type", "alibi"},
                                                          {"shortformer_pos", true},
                                                          {"normalization_type", "BN"},
                                                          {"final_rms", true},
                                                          {"act_fn", "solu_ln"},
                                                          {"act_fn", "xielu"},
                                                          {"d_vocab_out", 7},
                                                          {"attention_dir", "bidirectional"},
                                                          {"num_experts", 4},
                                                          {"post_embedding_ln", true},
                                                          {"load_in_4bit", true},
                                                          {"rotary_base_local", 100},
                                                          {"use_normalization_before_and_after", true},
                                                          {"n_key_value_heads", 2},
                                                          {"architecture", "mingpt"},
                                                          {"a_new_key", 3}};
  for (const auto& [key, value] : refused)
    EXPECT_THAT(refusal([&] { lens_info({{key, value}}); }), AllOf(HasSubstr("config.json"), HasSubstr(key)));
  EXPECT_THAT(refusal([&] {
                lens_info({{"positional_embedding_type", "rotary"}, {"rotary_adjacent_pairs", true}});
              }),
              HasSubstr("rotary_adjacent_pairs"));
  EXPECT_THAT(refusal([&] {
                lens_info({{"use_local_attn", true}, {"window_size", 5}, {"attn_types", {"local"}}});
              }),
              HasSubstr("one word for each of 2 layers"));
  EXPECT_THAT(refusal([&] {
                lens_info({{"parallel_attn_mlp", true}, {"attn_only", true}});
              }),
              HasSubstr("parallel blocks without an MLP"));
}

TEST(LayoutsConfig, AConfigWithTheKeysOfTransformerLensNeedsNoModelType) {
  const Folder folder;
  Json config = lens_config();
  config.erase("model_type");
  folder.write("config.json", config.dump());
  EXPECT_EQ(read_config(folder.path()).family, "hooked_transformer");
}

TEST(LayoutsConfig, TransformerLensModelsAreWrittenAndReadBack) {
  for (const Json& changes :
       {Json::object(), Json{{"normalization_type", "LNPre"}}, Json{{"normalization_type", nullptr}},
        Json{{"attn_only", true},
             {"normalization_type", "RMS"},
             {"positional_embedding_type", "rotary"},
             {"rotary_dim", 4}},
        Json{{"use_local_attn", true},
             {"window_size", 5},
             {"attn_types", {"global", "local"}},
             {"n_heads", 4},
             {"n_key_value_heads", 2}}}) {
    const Folder folder;
    const ModelInfo info = lens_info(changes);
    const Parameters saved = random_parameters(info, 5).transformed([&](Slot slot, const at::Tensor& value) {
      return is_gain(slot.part) && !info.norm_gain ? at::ones_like(value) : value;
    });
    save(saved, folder.path());
    const Parameters back = load(folder.path()).parameters;
    for (const Slot slot : slots(info))
      EXPECT_TRUE(at::equal(back.get(slot.part, slot.layer), saved.get(slot.part, slot.layer))) << slot_name(slot);
    EXPECT_EQ(config_json(back.info()), config_json(info));
  }
}

TEST(LayoutsConfig, GainsThatTheLayoutHasNoPlaceForAreNotDropped) {
  const Folder folder;
  EXPECT_THAT(refusal([&] {
                save(random_parameters(lens_info({{"normalization_type", "LNPre"}}), 5), folder.path());
              }),
              HasSubstr("expected blocks.0.ln1_gain of"));
}

TEST(LayoutsConfig, ABiasBehindTheGatesProductIsRefused) {
  const Folder folder;
  const ModelInfo info = lens_info({{"gated_mlp", true}, {"act_fn", "silu"}});
  const auto with_in_bias = [&](double value) {
    save(random_parameters(info, 5).transformed([&](Slot slot, const at::Tensor& given) {
      if (slot.part == Part::MlpGateBias) return at::zeros_like(given);
      return slot.part == Part::MlpInBias ? at::full_like(given, value) : given;
    }),
         folder.path());
  };
  with_in_bias(0);
  EXPECT_NO_THROW(load(folder.path()));
  with_in_bias(0.1);
  EXPECT_THAT(refusal([&] { load(folder.path()); }), HasSubstr("expected blocks.0.mlp.b_in to be zero throughout"));
}

TEST(LayoutsConfig, EveryContradictionOfATransformerLensModelIsNamedAtOnce) {
  const Folder folder;
  save(random_parameters(lens_info(), 5), folder.path());
  folder.write("config.json", lens_config({{"n_layers", 3}, {"d_vocab", 32}, {"normalization_type", nullptr}}).dump());
  EXPECT_THAT(refusal([&] { load(folder.path()); }),
              AllOf(HasSubstr("of the hooked_transformer model contradict each other"),
                    HasSubstr("missing: blocks.2.attn.W_Q [3, 24, 8]"), HasSubstr("missing: blocks.2.attn.b_K [3, 8]"),
                    HasSubstr("misshapen: unembed.W_U is [24, 31], expected [24, 32]"),
                    HasSubstr("not expected: blocks.0.ln1.w [24]")));
}

TEST(LayoutsConfig, WrappersNamesAreTakenOffAndAnotherNameIsNoSecondTensor) {
  const Folder folder;
  const ModelInfo info = lens_info({{"n_key_value_heads", 3}});
  save(random_parameters(info, 5), folder.path());
  const auto rewrite = [&](const auto& name_of) {
    const weights::SafetensorsFile file(folder.path() / "model.safetensors");
    std::vector<weights::TensorToWrite> out;
    for (const auto& [name, view] : file.tensors()) out.push_back({name_of(name), view.dtype, view.shape, view.bytes});
    weights::write_safetensors(folder.path() / "model.safetensors", out);
  };
  rewrite([](const std::string& name) { return "module._orig_mod." + name; });
  EXPECT_NO_THROW(load(folder.path()));
  rewrite([](std::string name) {  // as TransformerLens names k and v when n_key_value_heads is given
    for (const char* part : {"attn.W_K", "attn.b_V"}) {
      if (const std::size_t at = name.find(part); at != std::string::npos) name.insert(at + 5, "_");
    }
    return name;
  });
  const Parameters back = load(folder.path()).parameters;
  EXPECT_TRUE(at::equal(back.get(Part::KWeight, 1), random_parameters(info, 5).get(Part::KWeight, 1)));
}

TEST(LayoutsConfig, AModelWithoutNormsHasNoLnPointsAndNothingToFold) {
  ModelInfo info = lens_info({{"normalization_type", nullptr}});
  info.name = "toy";
  const Transformer model(random_parameters(info, 5));
  for (const char* name : {"blocks.0.ln1.hook_scale", "blocks.0.ln2.hook_normalized", "ln_final.hook_scale"})
    EXPECT_FALSE(model.hooks().find(name).has_value()) << name;
  EXPECT_FALSE(model.parameters().canonical("ln_final_w").defined());
  EXPECT_THAT(refusal([&] { check_transforms(info, {"fold_ln"}); }),
              HasSubstr("fold_ln needs norms, and toy has none"));
}

TEST(LayoutsConfig, SizesOfNanoGptAreThoseOfItsCheckpoint) {
  using namespace weights::testing;
  const Folder folder;
  const auto checkpoint = [&](const std::vector<std::pair<std::string, std::string>>& arguments) {
    folder.write("ckpt.pt", torch_zip(pickle(dict({{"model", dict({{"w", tensor(storage("0", 1), 0, {1}, {1})}})},
                                                   {"model_args", dict(arguments)}})),
                                      {{"0", std::string(4, '\0')}}));
  };
  const std::vector<std::pair<std::string, std::string>> sizes{{"n_layer", whole(2)},     {"n_head", whole(4)},
                                                               {"n_embd", whole(32)},     {"block_size", whole(24)},
                                                               {"vocab_size", whole(97)}, {"bias", "\x89"}};
  checkpoint(sizes);
  const ModelInfo info = read_config(folder.path());
  EXPECT_EQ(info.family, "nanogpt");
  EXPECT_EQ(info.activation, Activation::Gelu);
  EXPECT_FALSE(info.mlp_bias || info.norm_bias || info.qkv_bias || info.out_bias);
  EXPECT_EQ(model_name(folder.path() / "ckpt.pt"), folder.path().filename().string());
  auto more = sizes;
  more.emplace_back("n_kv_head", whole(2));
  checkpoint(more);
  EXPECT_THAT(refusal([&] { read_config(folder.path()); }), AllOf(HasSubstr("ckpt.pt"), HasSubstr("'n_kv_head' = 2")));
  checkpoint({{"dim", whole(64)}, {"n_layers", whole(5)}});
  EXPECT_THAT(refusal([&] { read_config(folder.path()); }), HasSubstr("a training checkpoint of llama2.c"));
  folder.write("config.json",
               R"({"model_type":"mingpt","n_layer":2,"n_head":4,"n_embd":32,"block_size":24,"vocab_size":97})");
  EXPECT_EQ(read_config(folder.path()).family, "mingpt") << "config.json of a folder counts first";
  EXPECT_EQ(read_config(folder.path()).activation, Activation::GeluNew);
  EXPECT_FALSE(read_config(folder.path()).tied_embeddings);
}

}  // namespace
}  // namespace diopter::model
