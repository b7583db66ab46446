// Models in files and layouts beside save_pretrained's safetensors against transformers
// (tests/peers/layouts_oracle.py).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/model/expected.hpp"
#include "core/model/parity.hpp"
#include "core/weights/files.hpp"
#include "model/config.hpp"
#include "model/load.hpp"
#include "peers/python_peer.hpp"
#include "weights/checkpoint.hpp"

namespace diopter::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::largest_difference;
using testing::oracle_cases;
using testing::OracleCase;
using testing::read_tensors;
using weights::testing::Folder;
using weights::testing::refusal;

std::filesystem::path path_of(const OracleCase& c) {
  return c.folder.parent_path() / c.about.at("path").get<std::string>();  // an absolute one stays itself
}

TEST(LayoutsParity, LogitsStreamsAndPatternsEqualTransformers) {
  const std::filesystem::path oracle = peers::oracle("layouts");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("layouts");
  const c10::InferenceMode no_graph;
  testing::print_parity_heading();
  std::map<std::string, int> cases;
  for (const OracleCase& c : oracle_cases(oracle)) {
    const Transformer model(testing::placed(load(path_of(c)).parameters));
    testing::compare_with_oracle("model_layouts", c.name, model, read_tensors(c.folder / "expected.safetensors"));
    ++cases[c.about.at("family")];
  }
  if (cases["stories"] == 0) fmt::print("no stories260K beside the source tree: not compared\n");
  for (const char* family : {"nanogpt", "torch", "llama2c"}) EXPECT_GE(cases[family], 6) << family;
  EXPECT_GE(cases["mingpt"], 2);
}

TEST(LayoutsParity, WhatIsSavedIsWhatWasLoaded) {
  const std::filesystem::path oracle = peers::oracle("layouts");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("layouts");
  const Folder folder;
  for (const OracleCase& c : oracle_cases(oracle)) {
    const Parameters loaded = load(path_of(c)).parameters;
    save(loaded, folder.path() / c.name);
    const Parameters back = load(folder.path() / c.name).parameters;
    for (const Slot slot : slots(loaded.info()))
      EXPECT_TRUE(at::equal(back.get(slot.part, slot.layer), loaded.get(slot.part, slot.layer)))
          << c.name << " " << slot_name(slot);
  }
}

TEST(LayoutsParity, WeightsStayInTheirFileExceptRotatedOnes) {
  const std::filesystem::path oracle = peers::oracle("layouts");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("layouts");
  const auto in_the_file = [](const std::filesystem::path& path, const std::string& stored, Part part) {
    const weights::Checkpoint checkpoint = weights::Checkpoint::open(path);  // holds a mapping of its own
    const Parameters parameters = load(path).parameters;
    const auto* data = static_cast<const char*>(parameters.get(part, is_per_layer(part) ? 0 : -1).const_data_ptr());
    const auto* embed = static_cast<const char*>(parameters.get(Part::Embed).const_data_ptr());
    const char* embed_name = stored.starts_with("model.") ? "model.embed_tokens.weight" : "transformer.wte.weight";
    return data - embed ==
           checkpoint.tensors().at(stored).bytes.data() - checkpoint.tensors().at(embed_name).bytes.data();
  };
  EXPECT_TRUE(in_the_file(oracle / "nanogpt.plain", "transformer.h.0.attn.c_attn.weight", Part::QkvWeight));
  EXPECT_TRUE(in_the_file(oracle / "torch.gpt2", "transformer.h.0.mlp.c_fc.weight", Part::MlpInWeight));
  EXPECT_TRUE(
      in_the_file(oracle / "llama2c.tied" / "tiny.bin", "model.layers.0.mlp.up_proj.weight", Part::MlpInWeight));
  EXPECT_FALSE(
      in_the_file(oracle / "llama2c.tied" / "tiny.bin", "model.layers.0.self_attn.q_proj.weight", Part::QWeight));
}

TEST(LayoutsParity, DefectsOfLlama2cFilesAreRefused) {
  const std::filesystem::path oracle = peers::oracle("layouts");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("layouts");
  const Folder folder;
  const std::string v0 = base::read_file(oracle / "llama2c.tied" / "tiny.bin"),
                    v1 = base::read_file(oracle / "llama2c.version1_tied" / "tiny.bin");
  const auto refused = [&](const std::string& bytes) { return refusal([&] { load(folder.write("m.bin", bytes)); }); };
  EXPECT_THAT(refused(v0.substr(0, v0.size() - 4)), HasSubstr("bytes for the sizes in its header"));
  EXPECT_THAT(refused(v0 + "1234"), HasSubstr("bytes for the sizes in its header"));
  EXPECT_THAT(refused(v0.substr(0, 20)), HasSubstr("got none of these"));
  EXPECT_THAT(refused(v1.substr(0, 100)), HasSubstr("expected a header of 256 bytes, got 100"));
  std::string changed = v1;
  changed[4] = 2;
  EXPECT_THAT(refused(changed), HasSubstr("expected version 0 or 1 (float32), got 2"));
  changed = v1;
  changed.replace(8, 4, "\xff\xff\xff\x7f");
  EXPECT_THAT(refused(changed), HasSubstr("expected sizes of 1 to"));
  changed = v1;
  changed[20] = 5;
  EXPECT_THAT(refused(changed), HasSubstr("expected n_heads to divide dim"));
}

TEST(LayoutsParity, EveryContradictionOfANanoGptCheckpointIsNamedAtOnce) {
  const std::filesystem::path oracle = peers::oracle("layouts");
  if (oracle.empty()) GTEST_SKIP() << peers::missing_oracle("layouts");
  const Folder folder;
  std::filesystem::copy(oracle / "nanogpt.plain" / "ckpt.pt", folder.path() / "ckpt.pt");
  folder.write("config.json", R"({"model_type":"nanogpt","n_layer":2,"n_head":4,"n_embd":32,"block_size":25,)"
                              R"("vocab_size":97,"bias":false})");
  EXPECT_THAT(refusal([&] { load(folder.path()); }),
              AllOf(HasSubstr("of the nanogpt model contradict each other"),
                    HasSubstr("misshapen: wpe.weight is [24, 32], expected [25, 32]"),
                    HasSubstr("not expected: h.1.attn.c_attn.bias [96]"), HasSubstr("not expected: ln_f.bias [32]")));
}

}  // namespace
}  // namespace diopter::model
