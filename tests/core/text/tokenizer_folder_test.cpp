// Which files of a folder make its tokenizer, and what tokenizer_config.json says beside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "small_model.hpp"
#include "small_tokenizer.hpp"
#include "text/tokenizer.hpp"

namespace diopter::text {
namespace {

using base::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TokenizerFolder : public testing::Test {
 protected:
  TokenizerFolder() : folder_(testing::TempDir() + "/tokenizer_folder") {
    std::filesystem::create_directories(folder_);
    base::write_file_atomically(folder_ / "tokenizer.json", tokenizer_json(small_vocabulary()));
  }
  ~TokenizerFolder() override { std::filesystem::remove_all(folder_); }

  std::string load_with(const Json& config) const {
    base::write_file_atomically(folder_ / "tokenizer_config.json", config.dump());
    return load();
  }

  std::string load() const {
    try {
      const Tokenizer tokenizer = Tokenizer::load(folder_);
      return "bos " + std::to_string(tokenizer.bos().value_or(-1));
    } catch (const base::UserError& error) {
      return error.what();
    }
  }

  const std::filesystem::path folder_;
};

TEST_F(TokenizerFolder, TakesBosFromTheConfigBeside) {
  EXPECT_EQ(load_with({{"bos_token", "<|endoftext|>"}}), "bos 0");
  EXPECT_EQ(load_with({{"bos_token", {{"content", "<|endoftext|>"}}}}), "bos 0");
  EXPECT_EQ(load_with({{"bos_token", nullptr}}), "bos 0");
  EXPECT_THAT(load_with({{"bos_token", 5}}), HasSubstr("bos_token is 5; expected a string"));
  EXPECT_THAT(load_with({{"bos_token", "<s>"}}),
              HasSubstr("bos_token is '<s>'; the tokenizer has no added token of this content"));
}

TEST_F(TokenizerFolder, RefusesAConfigThatContradictsTheFile) {
  EXPECT_THAT(load_with({{"add_prefix_space", true}}),
              HasSubstr("add_prefix_space is true; tokenizer.json says false: make the two agree"));
  EXPECT_THAT(load_with({{"added_tokens_decoder", {{"263", {{"content", "<pad>"}}}}}}),
              HasSubstr("added_tokens_decoder.263.content is '<pad>'; the tokenizer has no added token"));
}

TEST_F(TokenizerFolder, TheConfigDecidesWhatIsPutAround) {
  EXPECT_EQ(load_with({{"add_bos_token", true}}), "bos 0");
  EXPECT_THAT(Tokenizer::load(folder_).ids_before(), ElementsAre(0));
  EXPECT_THAT(Tokenizer::load(folder_).ids_after(), IsEmpty());
  load_with({{"add_eos_token", true}, {"add_bos_token", false}});
  EXPECT_THAT(Tokenizer::load(folder_).ids_before(), IsEmpty());
  EXPECT_THAT(Tokenizer::load(folder_).ids_after(), ElementsAre(0));
}

TEST_F(TokenizerFolder, ReadsASentencePieceModel) {
  std::filesystem::remove(folder_ / "tokenizer.json");
  base::write_file_atomically(folder_ / "tokenizer.model", small_model().bytes());
  EXPECT_EQ(load_with({{"bos_token", "<s>"}, {"add_bos_token", true}}), "bos 1");
  const Tokenizer tokenizer = Tokenizer::load(folder_);
  EXPECT_THAT(tokenizer.encode("hello"), ElementsAre(8, 9, 7));
  EXPECT_THAT(tokenizer.ids_before(), ElementsAre(1));
  EXPECT_EQ(tokenizer.sha256(), base::sha256(small_model().bytes()));
  EXPECT_EQ(Tokenizer::load(folder_ / "tokenizer.model").encode("hello").size(), 3u);
  Json pad = added_token(13, "<pad>");
  pad.erase("id");  // it is the key there
  EXPECT_EQ(load_with({{"added_tokens_decoder", {{"13", pad}}}}), "bos 1");
  EXPECT_THAT(Tokenizer::load(folder_).encode("he<pad>"), ElementsAre(8, 13));
}

TEST_F(TokenizerFolder, ReadsAVocabularyWithMerges) {
  const Tokenizer whole = Tokenizer::load(folder_);
  std::filesystem::remove(folder_ / "tokenizer.json");
  const Json document = small_document();
  std::string merges = "#version: 0.2\n";
  for (const Json& pair : document["model"]["merges"]) {
    merges += pair[0].get<std::string>() + " " + pair[1].get<std::string>() + "\r\n";
  }
  base::write_file_atomically(folder_ / "vocab.json", document["model"]["vocab"].dump());
  base::write_file_atomically(folder_ / "merges.txt", merges);
  const std::string text = "hello the <|endoftext|>\u00e9 123";
  EXPECT_EQ(Tokenizer::load(folder_).encode(text), whole.encode(text));
  EXPECT_EQ(Tokenizer::load(folder_).bos(), 0);
  EXPECT_EQ(load_with({{"tokenizer_class", "GPT2Tokenizer"}, {"add_prefix_space", true}}), "bos 0");
  EXPECT_THAT(Tokenizer::load(folder_).encode("the"), ElementsAre(261));
  EXPECT_EQ(load_with({{"tokenizer_class", "Qwen2Tokenizer"}}), "bos 0");
  EXPECT_EQ(Tokenizer::load(folder_).encode("e\u0301"), whole.encode("\u00e9"));
  load_with({{"bos_token", "he"}, {"eos_token", {{"content", "<|endoftext|>"}}}});
  EXPECT_EQ(Tokenizer::load(folder_).bos(), 257);
  EXPECT_TRUE(Tokenizer::load(folder_).is_special(257));
  EXPECT_THAT(load_with({{"tokenizer_class", "CLIPTokenizer"}}),
              HasSubstr("tokenizer_class is 'CLIPTokenizer'; with vocab.json and merges.txt supported: GPT2Tokenizer"));
  std::filesystem::remove(folder_ / "tokenizer_config.json");
  base::write_file_atomically(folder_ / "merges.txt", "h e\nx yz\n");
  EXPECT_THAT(load(), HasSubstr("its token 'yz' is not in the vocabulary"));
}

TEST_F(TokenizerFolder, NamesWhatIsMissing) {
  std::filesystem::remove(folder_ / "tokenizer.json");
  EXPECT_THAT(load(), HasSubstr("tokenizer.json, nor tokenizer.model, nor vocab.json with merges.txt"));
}

}  // namespace
}  // namespace diopter::text
