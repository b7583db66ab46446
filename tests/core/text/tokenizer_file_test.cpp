// What a tokenizer.json may ask for, and how it is refused.
#include "text/tokenizer_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/error.hpp"
#include "base/files.hpp"
#include "small_tokenizer.hpp"
#include "text/tokenizer.hpp"

namespace diopter::text {
namespace {

using base::Json;
using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(const std::string& json) {
  try {
    Tokenizer::parse(json, "t.json");
  } catch (const base::UserError& error) {
    EXPECT_EQ(error.exit(), base::Exit::Refused);
    return error.what();
  }
  return "accepted";
}

struct Change {
  const char* name;
  std::function<void(Json&)> apply;
  const char* message;
};

class RefusedFile : public testing::TestWithParam<Change> {};

TEST_P(RefusedFile, NamesKeyValueAndWhatIsSupported) {
  Json document = small_document();
  GetParam().apply(document);
  EXPECT_THAT(refusal(document.dump()), HasSubstr(GetParam().message));
}

const Change kChanges[] = {
    {"normaliser",
     [](Json& d) {
       d["normalizer"] = {{"type", "NFC"}};
     },
     "t.json: normalizer.type is 'NFC'; supported: no normalizer (null)"},
    {"model", [](Json& d) { d["model"]["type"] = "Unigram"; }, "model.type is 'Unigram'; supported: 'BPE'"},
    {"dropout", [](Json& d) { d["model"]["dropout"] = 0.1; }, "model.dropout is 0.1; supported: 0.0 or null"},
    {"byte_fallback", [](Json& d) { d["model"]["byte_fallback"] = true; },
     "model.byte_fallback is true; supported: false or null"},
    {"prefix", [](Json& d) { d["model"]["continuing_subword_prefix"] = "##"; },
     "model.continuing_subword_prefix is '##'; supported: \"\" or null"},
    {"suffix", [](Json& d) { d["model"]["end_of_word_suffix"] = "</w>"; }, "model.end_of_word_suffix is '</w>'"},
    {"pre_tokeniser",
     [](Json& d) {
       d["pre_tokenizer"] = {{"type", "Metaspace"}};
     },
     "pre_tokenizer.type is 'Metaspace'; supported: 'ByteLevel'"},
    {"no_pre_tokeniser", [](Json& d) { d["pre_tokenizer"] = nullptr; }, "t.json: pre_tokenizer is missing"},
    {"decoder",
     [](Json& d) {
       d["decoder"] = {{"type", "WordPiece"}};
     },
     "decoder.type is 'WordPiece'"},
    {"post_processor",
     [](Json& d) {
       d["post_processor"] = {{"type", "Novel"}};
     },
     "post_processor.type is 'Novel'; supported: null, ByteLevel"},
    {"version", [](Json& d) { d["version"] = "2.0"; }, "version is '2.0'; supported: '1.0'"},
    {"unknown_key", [](Json& d) { d["post"] = 1; }, "post is 1; this key is not known here; known: version"},
    {"unknown_model_key", [](Json& d) { d["model"]["temperature"] = 1; }, "model.temperature is 1; this key"},
    {"same_id", [](Json& d) { d["model"]["vocab"]["new"] = 7; }, "is 7; another token has this id already"},
    {"negative_id", [](Json& d) { d["model"]["vocab"]["he"] = -1; }, "model.vocab.he is -1; expected a token id"},
    {"huge_id", [](Json& d) { d["model"]["vocab"]["he"] = 1 << 22; }, "from 0 to 4194303"},
    {"fraction_id", [](Json& d) { d["model"]["vocab"]["he"] = 1.5; }, "model.vocab.he is 1.5; expected a token id"},
    {"merge_unknown",
     [](Json& d) {
       d["model"]["merges"].push_back({"he", "q!"});
     },
     "its token 'q!' is not in model.vocab"},
    {"merge_result",
     [](Json& d) {
       d["model"]["merges"].push_back({"he", "he"});
     },
     "model.merges[6] is [\"he\",\"he\"]; its token 'hehe' is not in model.vocab"},
    {"merge_three",
     [](Json& d) {
       d["model"]["merges"].push_back({"h", "e", "l"});
     },
     "expected two tokens"},
    {"merge_mixed", [](Json& d) { d["model"]["merges"].push_back("h e"); }, "all strings or all pairs"},
    {"added_id", [](Json& d) { d["added_tokens"].push_back(added_token(300, "<x>")); },
     "added_tokens[1].id is 300; the tokenizers library gives '<x>' the id 263"},
    {"added_twice", [](Json& d) { d["added_tokens"].push_back(added_token(0, "<|endoftext|>")); },
     "this token is added twice"},
    {"added_empty", [](Json& d) { d["added_tokens"].push_back(added_token(263, "")); }, "must not be empty"},
    {"template_id",
     [](Json& d) {
       d["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"<s>", 400}}, {"sep", {"</s>", 0}}};
     },
     "t.json: there is no token with id 400"},
};

INSTANTIATE_TEST_SUITE_P(Changes, RefusedFile, testing::ValuesIn(kChanges),
                         [](const auto& change) { return change.param.name; });

TEST(TokenizerFile, RefusesBrokenJson) {
  const std::string json = tokenizer_json(small_vocabulary());
  EXPECT_THAT(refusal(json.substr(0, json.size() / 2)), HasSubstr("t.json is not valid JSON"));
  EXPECT_THAT(refusal(""), HasSubstr("t.json is not valid JSON"));
  EXPECT_THAT(refusal("[]"), HasSubstr("the top level is []; expected an object"));
  EXPECT_THAT(refusal(R"({"version": "1.0", "version": "1.0"})"), HasSubstr("the key 'version' occurs twice"));
}

TEST(TokenizerFile, ReadsBothNotationsOfMerges) {
  Json document = small_document();
  const TokenizerFile pairs = read_tokenizer_file(document.dump(), "x");
  document["model"]["merges"] = {"#version: 0.2", "h e", "l l", "he ll", "\u0120 t", "\u0120t he", "\u00c3 \u00a9"};
  EXPECT_EQ(read_tokenizer_file(document.dump(), "x").merges, pairs.merges);
  EXPECT_EQ(pairs.merges.size(), 6u);
}

TEST(TokenizerFile, TheTypeOfOldFilesMayBeMissing) {
  Json document = small_document();
  document["model"].erase("type");
  EXPECT_EQ(refusal(document.dump()), "accepted");
}

TEST(TokenizerFile, ReportsWhatATemplateWouldAdd) {
  Json document = small_document();
  document["added_tokens"].push_back(added_token(263, "<s>"));
  document["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
        {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
        {{"SpecialToken", {{"id", "<|endoftext|>"}, {"type_id", 0}}}}}},
      {"pair", Json::array()},
      {"special_tokens",
       {{"<s>", {{"id", "<s>"}, {"ids", {263}}, {"tokens", {"<s>"}}}},
        {"<|endoftext|>", {{"id", "<|endoftext|>"}, {"ids", {0}}, {"tokens", {"<|endoftext|>"}}}}}}};
  const Tokenizer tokenizer = Tokenizer::parse(document.dump(), "x");
  EXPECT_THAT(tokenizer.ids_before(), ElementsAre(263));
  EXPECT_THAT(tokenizer.ids_after(), ElementsAre(0));
  EXPECT_EQ(tokenizer.bos(), 263);
  EXPECT_EQ(tokenizer.eos(), 0);
  EXPECT_THAT(tokenizer.encode("he"), ElementsAre(257));  // and adds none of it
}

class TokenizerFolder : public testing::Test {
 protected:
  TokenizerFolder() : folder_(testing::TempDir() + "/tokenizer_folder") {
    std::filesystem::create_directories(folder_);
    base::write_file_atomically(folder_ / "tokenizer.json", tokenizer_json(small_vocabulary()));
  }
  ~TokenizerFolder() override { std::filesystem::remove_all(folder_); }

  std::string load_with(const Json& config) const {
    base::write_file_atomically(folder_ / "tokenizer_config.json", config.dump());
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
              HasSubstr("bos_token is '<s>'; tokenizer.json has no added token of this content"));
}

TEST_F(TokenizerFolder, RefusesAConfigThatContradictsTheFile) {
  EXPECT_THAT(load_with({{"add_prefix_space", true}}),
              HasSubstr("add_prefix_space is true; tokenizer.json says false: make the two agree"));
  EXPECT_THAT(load_with({{"added_tokens_decoder", {{"263", {{"content", "<pad>"}}}}}}),
              HasSubstr("added_tokens_decoder.263.content is '<pad>'; tokenizer.json has no added token"));
}

}  // namespace
}  // namespace diopter::text
