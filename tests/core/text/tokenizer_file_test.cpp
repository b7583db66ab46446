// What a tokenizer.json may ask for, and how it is refused.
#include "text/tokenizer_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"
#include "small_tokenizer.hpp"
#include "text/tokenizer.hpp"

namespace diopter::text {
namespace {

using base::Json;
using testing::ElementsAre;
using testing::HasSubstr;

std::string parse_refusal(const std::string& json) {
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
  EXPECT_THAT(parse_refusal(document.dump()), HasSubstr(GetParam().message));
}

const Change kChanges[] = {
    {"normaliser",
     [](Json& d) {
       d["normalizer"] = {{"type", "BertNormalizer"}};
     },
     "t.json: normalizer.type is 'BertNormalizer'; supported: NFC, NFD"},
    {"normaliser_in_a_sequence",
     [](Json& d) {
       d["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}, {{"type", "Novel"}}}}};
     },
     "t.json: normalizer.normalizers[1].type is 'Novel'"},
    {"charsmap",
     [](Json& d) {
       d["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "AAAA"}};
     },
     "normalizer.precompiled_charsmap is 'AAAA'; expected SentencePiece's rules in base64"},
    {"model", [](Json& d) { d["model"]["type"] = "WordPiece"; }, "model.type is 'WordPiece'; supported: BPE, Unigram"},
    {"unigram_row",
     [](Json& d) {
       d["model"] = {{"type", "Unigram"}, {"vocab", Json::array({Json::array({"a", -1.0}), Json::array({"b"})})}};
     },
     "model.vocab[1] is [\"b\"]; expected [token, score]"},
    {"unigram_unknown",
     [](Json& d) {
       d["model"] = {{"type", "Unigram"},
                     {"unk_id", 2},
                     {"vocab", Json::array({Json::array({"a", -1.0}), Json::array({"b", -2.0})})}};
     },
     "model.unk_id is 2; expected the place of a token in model.vocab"},
    {"dropout", [](Json& d) { d["model"]["dropout"] = 0.1; }, "model.dropout is 0.1; supported: 0.0 or null"},
    {"prefix", [](Json& d) { d["model"]["continuing_subword_prefix"] = "##"; },
     "model.continuing_subword_prefix is '##'; supported: \"\" or null"},
    {"suffix", [](Json& d) { d["model"]["end_of_word_suffix"] = "</w>"; }, "model.end_of_word_suffix is '</w>'"},
    {"pre_tokeniser",
     [](Json& d) {
       d["pre_tokenizer"] = {{"type", "UnicodeScripts"}};
     },
     "pre_tokenizer.type is 'UnicodeScripts'; supported: ByteLevel, Split"},
    {"metaspace",
     [](Json& d) {
       d["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "__"}};
     },
     "pre_tokenizer.replacement is '__'; expected one character"},
    {"pattern",
     [](Json& d) {
       d["pre_tokenizer"] = {
           {"type", "Split"}, {"pattern", {{"Regex", "a\\bc"}}}, {"behavior", "Isolated"}, {"invert", false}};
     },
     "pre_tokenizer.pattern.Regex is 'a\\bc'; the pattern is not supported at byte 1: the escape \\b"},
    {"empty_pattern",
     [](Json& d) {
       d["pre_tokenizer"] = {
           {"type", "Split"}, {"pattern", {{"Regex", "a*"}}}, {"behavior", "Isolated"}, {"invert", false}};
     },
     "expected a pattern that matches at least one character"},
    {"decoder",
     [](Json& d) {
       d["decoder"] = {{"type", "WordPiece"}};
     },
     "decoder.type is 'WordPiece'; supported: ByteLevel, ByteFallback"},
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
     "its token 'q!' is not in the vocabulary"},
    {"merge_result",
     [](Json& d) {
       d["model"]["merges"].push_back({"he", "he"});
     },
     "model.merges[6] is [\"he\",\"he\"]; its token 'hehe' is not in the vocabulary"},
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
  EXPECT_THAT(parse_refusal(json.substr(0, json.size() / 2)), HasSubstr("t.json is not valid JSON"));
  EXPECT_THAT(parse_refusal(""), HasSubstr("t.json is not valid JSON"));
  EXPECT_THAT(parse_refusal("[]"), HasSubstr("the top level is []; expected an object"));
  EXPECT_THAT(parse_refusal(R"({"version": "1.0", "version": "1.0"})"), HasSubstr("the key 'version' occurs twice"));
}

TEST(TokenizerFile, ReadsBothNotationsOfMerges) {
  Json document = small_document();
  const TokenizerFile pairs = read_tokenizer_file(document.dump(), "x");
  document["model"]["merges"] = {"#version: 0.2", "h e", "l l", "he ll", "\u0120 t", "\u0120t he", "\u00c3 \u00a9"};
  EXPECT_EQ(read_tokenizer_file(document.dump(), "x").bpe.merges, pairs.bpe.merges);
  EXPECT_EQ(pairs.bpe.merges.size(), 6u);
}

TEST(TokenizerFile, TheTypeOfOldFilesMayBeMissing) {
  Json document = small_document();
  document["model"].erase("type");
  EXPECT_EQ(parse_refusal(document.dump()), "accepted");
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

}  // namespace
}  // namespace diopter::text
