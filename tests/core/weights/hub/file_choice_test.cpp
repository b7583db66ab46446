#include "weights/hub/file_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/refusal.hpp"
#include "weights/hub/repo_file_name.hpp"

namespace diopter::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(FileChoice, OneSetOfWeights) {
  EXPECT_THAT(model_files_of({"model.safetensors", "model.fp16.safetensors", "pytorch_model.bin", "config.json"}),
              ElementsAre("config.json", "model.safetensors"));
  EXPECT_THAT(model_files_of({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                              "model.safetensors.index.json", "consolidated.safetensors", "pytorch_model.bin"}),
              ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                          "model.safetensors.index.json"));
  EXPECT_THAT(model_files_of({"weights.safetensors", "pytorch_model.bin"}), ElementsAre("weights.safetensors"));
  EXPECT_THAT(model_files_of({"pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json", "other.bin"}),
              ElementsAre("pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"));
  EXPECT_THAT(model_files_of({"consolidated.00.pth", "optimizer.pt", "training_args.bin", "rng_state_0.pth"}),
              ElementsAre("consolidated.00.pth"));
}

TEST(FileChoice, ProgramsAndOtherFrameworksStay) {
  EXPECT_THAT(
      model_files_of({"config.json", "modeling.py", "model.onnx", "flax_model.msgpack", "tf_model.h5", "README.md",
                      "onnx/model.safetensors", "tokenizer.json", "merges.txt", "model.gguf", ".gitattributes"}),
      ElementsAre("config.json", "merges.txt", "tokenizer.json"));
}

TEST(FileChoice, APatternThatMatchesNothingIsRefused) {
  EXPECT_THAT(base::refusal(base::Exit::NoMatch, [] { matching_files({"config.json"}, {"confg.json"}); }),
              HasSubstr("no file of the model matches 'confg.json' (did you mean 'config.json'?)"));
}

TEST(FileName, WhatLeavesTheSnapshotIsRefused) {
  for (const std::string& name :
       {std::string(""), std::string("/a"), std::string(".."), std::string("a/../b"), std::string("a/.."),
        std::string("./a"), std::string("a//b"), std::string("a/"), std::string("a\\b"), std::string("a\0b", 3),
        std::string("a\nb"), std::string("a\x7f"), std::string("\xff"), std::string(256, 'x')}) {
    EXPECT_THAT(base::refusal(base::Exit::Refused, [&] { check_file_name(name); }), HasSubstr("nothing was fetched"))
        << name;
  }
  for (const char* name : {"config.json", "a/b/c", "...", "..a", "a..b", "a b", "\xc3\xbc"})
    EXPECT_NO_THROW(check_file_name(name));
}

TEST(FileName, AddressesArePercentEncoded) {
  EXPECT_EQ(url_path("a b/\xc3\xbc%?#.txt"), "a%20b/%C3%BC%25%3F%23.txt");
  EXPECT_EQ(url_component("refs/pr/1"), "refs%2Fpr%2F1");
}

}  // namespace
}  // namespace diopter::hub
