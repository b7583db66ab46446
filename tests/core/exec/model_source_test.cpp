// From model.source to files, tokenizer and a model that computes: folders, single files, llama2.c.
#include "exec/model_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.hpp"
#include "base/files.hpp"
#include "core/model/random_model.hpp"
#include "core/weights/files.hpp"
#include "environment.hpp"
#include "exec/hash_cache.hpp"
#include "exec/model_facts.hpp"
#include "exec/model_tokenizer.hpp"
#include "model/load.hpp"
#include "model/transformer.hpp"

namespace diopter::exec {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using weights::testing::Folder;
using weights::testing::refusal;

std::vector<std::string> names(const std::vector<fs::path>& files) {
  std::vector<std::string> out;
  for (const fs::path& file : files) out.push_back(file.filename().string());
  return out;
}

std::string hash_of(const ModelFolder& model) { return HashCache({}).of_files(model_files(model)); }

fs::path saved(const Folder& folder) {
  model::save(model::testing::random_parameters(model::testing::tiny_info(), 5), folder.path() / "small");
  return folder.path() / "small";
}

TEST(ModelSource, TheFilesOfAFolderAreThoseThatAreRead) {
  const Folder folder;
  const fs::path model = saved(folder);
  const ModelFolder found = find_model(model.string());
  EXPECT_EQ(found.name, "small");
  EXPECT_FALSE(found.weights.has_value());
  EXPECT_THAT(names(model_files(found)), ElementsAre("config.json", "model.safetensors"));
  const std::string hash = hash_of(found);
  base::write_file_atomically(model / "expected.safetensors", "something else");
  EXPECT_EQ(hash_of(found), hash) << "a file that is not read identifies nothing";
  for (const char* file : {"model.safetensors", "config.json"})
    EXPECT_EQ(hash_of(find_model((model / file).string())), hash) << file << " stands for the folder";
}

TEST(ModelSource, AFolderWithoutWeightsIsEnoughToKnowItsShape) {
  const Folder folder;
  const fs::path model = saved(folder);
  fs::remove(model / "model.safetensors");
  const ModelFolder found = find_model(model.string());
  EXPECT_EQ(read_info(found).n_layers, model::testing::tiny_info().n_layers);
  EXPECT_THAT(names(model_files(found)), ElementsAre("config.json"));
}

TEST(ModelSource, OneOfSeveralFilesOfWeightsIsChosenByItsName) {
  const Folder folder;
  const fs::path model = saved(folder);
  fs::rename(model / "model.safetensors", model / "early.safetensors");
  fs::copy(model / "early.safetensors", model / "late.safetensors");
  EXPECT_THAT(refusal([&] { model::load(find_model(model.string()).path()); }),
              HasSubstr("got early.safetensors and late.safetensors"));
  const ModelFolder late = find_model((model / "late.safetensors").string());
  EXPECT_EQ(late.name, "late");
  EXPECT_THAT(names(model_files(late)), ElementsAre("config.json", "late.safetensors"));
  EXPECT_EQ(model::load(late.path()).parameters.info().name, "late");
}

TEST(ModelSource, WhatEndsATextIsPartOfTheModel) {
  const Folder folder;
  const fs::path model = saved(folder);
  fs::copy(model / "model.safetensors", model / "late.safetensors");
  const std::vector<std::string> sources = {model.string(), (model / "late.safetensors").string()};
  for (const std::string& source : sources) {
    fs::remove(model / "generation_config.json");
    const std::string before = hash_of(find_model(source));
    EXPECT_TRUE(read_facts(find_model(source))->end_tokens.empty()) << source;
    base::write_file_atomically(model / "generation_config.json", R"({"eos_token_id": [3, 7]})");
    EXPECT_THAT(read_facts(find_model(source))->end_tokens, ElementsAre(3, 7)) << source;
    EXPECT_NE(hash_of(find_model(source)), before) << source;
  }
}

TEST(ModelSource, RunsOnAGpuAreNotThoseOnTheCpu) {
  study::ModelSettings settings;
  for (const auto& [device, backend] :
       std::map<std::string, std::string>{{"auto", "cpu"}, {"cpu", "cpu"}, {"cuda", "cuda"}, {"cuda:1", "cuda"}}) {
    settings.device = device;
    EXPECT_EQ(backend_of(settings), backend) << device;
  }
}

TEST(ModelSource, WhatIsNotThereIsRefused) {
  EXPECT_THAT(refusal([] { find_model("./no/such/model.bin"); }), HasSubstr("is not on this machine"));
  EXPECT_THAT(refusal([] { find_model("no-such-model"); }), HasSubstr("is not on this machine"));
}

TEST(ModelSource, AVocabularyThatCanHardlyBeTheModelsIsSaid) {
  const auto organism = text::Tokenizer::load(tests::source_folder() / "experiments/organism/tokenizer.json");
  ModelInfo info = model::testing::tiny_info();
  info.name = "m";
  info.d_vocab = 100;
  EXPECT_THAT(vocabulary_mismatch(organism, info), HasSubstr("a text with a token from id 100 on is refused"));
  info.d_vocab = organism.size();
  EXPECT_EQ(vocabulary_mismatch(organism, info), "");
  info.d_vocab = organism.size() + 900;  // padding
  EXPECT_EQ(vocabulary_mismatch(organism, info), "");
  info.d_vocab = 32'000;
  EXPECT_THAT(vocabulary_mismatch(organism, info), HasSubstr("it may be another model's"));
}

class Stories : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = tests::source_folder() / "../shared/models/stories260K";
    if (!fs::exists(folder_ / "stories260K.bin"))
      GTEST_SKIP() << "no folder ../shared/models/stories260K beside the source tree";
  }

  // The greedy sample in the model's own description, the first of its two.
  std::string reference() const {
    const std::string page = base::read_file(folder_ / "stories260K.md");
    const std::size_t begin = page.find("Once upon a time"), end = page.find("\n```", begin);
    return page.substr(begin, end - begin);
  }

  fs::path folder_;
};

// Argmax after argmax from BOS, up to BOS or as many tokens as llama2.c makes by default.
std::string greedy(const model::Transformer& model, const text::Tokenizer& tokenizer) {
  const c10::InferenceMode no_graph;
  constexpr Index kLongest = 257;
  const Index bos = tokenizer.bos().value();
  std::vector<Index> ids{bos};
  model::KvCache cache(model.info(), 1, kLongest, model.parameters().get(model::Part::Embed).options());
  model::Rows rows;
  rows.cache = &cache;
  while (std::ssize(ids) < kLongest) {
    const at::Tensor logits = model.forward(at::full({1, 1}, ids.back(), at::kLong), {}, rows);
    const Index next = logits.argmax(-1).item<Index>();
    if (next == bos) break;
    ids.push_back(next);
  }
  ids.erase(ids.begin());
  return tokenizer.decode(ids);
}

TEST_F(Stories, GreedyTextIsTheOneItsDescriptionShows) {
  const ModelFolder source = find_model((folder_ / "stories260K.bin").string());
  EXPECT_THAT(names(model_files(source)), ElementsAre("stories260K.bin", "tok512.model"));
  const auto tokenizer = load_tokenizer(source);
  ASSERT_TRUE(tokenizer.has_value());
  EXPECT_EQ(vocabulary_mismatch(*tokenizer, read_info(source)), "");
  const model::Transformer model(model::load(source.path()).parameters);
  const std::string text = greedy(model, *tokenizer), expected = reference();
  EXPECT_EQ(text.substr(0, expected.size()), expected);
  std::printf("%zu characters of greedy text equal the reference\n", expected.size());
  EXPECT_GT(expected.size(), 500U);
}

TEST_F(Stories, TheTokenizerOfLlama2cIsTheSentencePieceModel) {
  const Folder folder;
  for (const char* file : {"stories260K.bin", "tok512.bin"}) fs::copy(folder_ / file, folder.path() / file);
  folder.write("tokens_of_the_corpus.bin", "no tokenizer");
  const ModelFolder source = find_model((folder.path() / "stories260K.bin").string());
  const auto tokenizer = load_tokenizer(source);
  ASSERT_TRUE(tokenizer.has_value());
  const auto proto = text::Tokenizer::load(folder_ / "tok512.model");
  ASSERT_EQ(tokenizer->size(), proto.size());
  for (Index id = 0; id < proto.size(); ++id) EXPECT_EQ(tokenizer->token_bytes(id), proto.token_bytes(id)) << id;
  EXPECT_EQ(tokenizer->bos(), proto.bos());
  EXPECT_EQ(tokenizer->eos(), proto.eos());
  const std::string odd = "Zo\u00eb's 12 cats \u2014 \u732b ate\tit!\n";
  for (const std::string& text : {reference(), odd, std::string("<0x41>"), std::string()})
    EXPECT_EQ(tokenizer->encode(text), proto.encode(text)) << text;
}

TEST_F(Stories, ATokenizerOfAnotherSizeIsNotItsOwn) {
  const Folder folder;
  fs::copy(folder_ / "stories260K.bin", folder.path() / "stories260K.bin");
  const std::string source = (folder.path() / "stories260K.bin").string();
  EXPECT_FALSE(load_tokenizer(find_model(source)).has_value());
  for (const char* name : {"tok512.model", "tokens.model"}) fs::copy(folder_ / "tok512.model", folder.path() / name);
  EXPECT_THAT(refusal([&] { load_tokenizer(find_model(source)); }),
              HasSubstr("expected one tokenizer of 512 tokens beside the model"));
}

}  // namespace
}  // namespace diopter::exec
