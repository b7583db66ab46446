// tokenizer.model: what its pieces make of a text, and how a broken one is refused.
#include "text/sentencepiece_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "small_model.hpp"
#include "text/tokenizer.hpp"

namespace diopter::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Tokenizer loaded(const SmallModel& model) {
  return Tokenizer::parse(sentencepiece_document(model.bytes(), "t.model").dump(), "t.model");
}

std::string model_refusal(const std::string& bytes) {
  try {
    sentencepiece_document(bytes, "t.model");
  } catch (const base::UserError& error) {
    EXPECT_EQ(error.exit(), base::Exit::Refused);
    return error.what();
  }
  return "accepted";
}

TEST(SentencePieceFile, MergesByScore) {
  const Tokenizer tokenizer = loaded(small_model());
  EXPECT_THAT(tokenizer.encode("hello"), ElementsAre(8, 9, 7));  // "▁h" has the best score, then "ll", then "▁he"
  EXPECT_THAT(tokenizer.encode("o he"), ElementsAre(3, 7, 8));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("hello he")), "hello he");
  EXPECT_EQ(tokenizer.token_bytes(8), " he");
}

TEST(SentencePieceFile, AContinuationGetsNoPrefix) {
  const Tokenizer tokenizer = loaded(small_model());
  EXPECT_THAT(tokenizer.encode(" he"), ElementsAre(3, 8));
  EXPECT_THAT(tokenizer.continuation(" he"), ElementsAre(8));
  EXPECT_THAT(tokenizer.continuation("he"), ElementsAre(11));
}

TEST(SentencePieceFile, SpansLeaveThePrefixOut) {
  const Encoded encoded = loaded(small_model()).encode_with_spans("hello he");
  EXPECT_THAT(encoded.spans, ElementsAre(Span{0, 2}, Span{2, 4}, Span{4, 5}, Span{5, 8}));
}

TEST(SentencePieceFile, UnknownCharactersAreOneTokenOrSpelled) {
  EXPECT_THAT(loaded(small_model()).encode("h\u20ac\u20ach"), ElementsAre(10, 0, 4));
  const Tokenizer spelling = loaded(small_spelling_model());
  EXPECT_THAT(spelling.encode("h\u20ac"), ElementsAre(10, 13 + 0xe2, 13 + 0x82, 13 + 0xac));
  EXPECT_EQ(spelling.token_bytes(13 + 0xe2), "\xE2");
  EXPECT_EQ(spelling.decode(spelling.encode("h\u20ac")), "h\u20ac");
}

TEST(SentencePieceFile, ControlPiecesAreSpecialAndUserDefinedOnesAreNot) {
  const Tokenizer tokenizer = loaded(small_model());
  EXPECT_THAT(tokenizer.encode("<s>he<r>"), ElementsAre(1, 8, 12));
  EXPECT_TRUE(tokenizer.is_special(1));
  EXPECT_FALSE(tokenizer.is_special(12));
  EXPECT_EQ(tokenizer.bos(), 1);
  EXPECT_EQ(tokenizer.eos(), 2);
  EXPECT_THAT(tokenizer.ids_before(), IsEmpty());
}

TEST(SentencePieceFile, SpacesAreStrippedAndCollapsedWhereTheModelSaysSo) {
  SmallModel model = small_model();
  EXPECT_THAT(loaded(model).encode("  o  o "), ElementsAre(3, 3, 3, 7, 3, 3, 7, 3));
  model.remove_extra_spaces = true;
  EXPECT_THAT(loaded(model).encode("  o  o "), ElementsAre(3, 7, 3, 7));
  EXPECT_THAT(loaded(model).encode("   "), IsEmpty());
  model.add_dummy_prefix = false;
  EXPECT_THAT(loaded(model).encode("  o  o "), ElementsAre(7, 3, 7));
}

TEST(SentencePieceFile, RulesRewriteTheText) {
  SmallModel model = small_model();
  model.pieces.push_back({"a", -14});
  model.rules = small_rules();
  const Encoded encoded = loaded(model).encode_with_spans("Ao\u0301h");
  EXPECT_THAT(encoded.ids, ElementsAre(3, 13, 7, 4));
  EXPECT_THAT(encoded.spans, ElementsAre(Span{0, 1}, Span{0, 1}, Span{1, 2}, Span{4, 5}));
}

TEST(SentencePieceFile, UnigramTakesTheBestSum) {
  SmallModel model = small_model();
  model.type = 1;
  EXPECT_THAT(loaded(model).encode("hello"), ElementsAre(8, 9, 7));
  model.pieces[11].score = 7;  // "he" now is worth a "▁" of its own
  EXPECT_THAT(loaded(model).encode("hello"), ElementsAre(3, 11, 9, 7));
}

TEST(SentencePieceFile, RefusesWhatIsNoModel) {
  const std::string bytes = small_model().bytes();
  EXPECT_THAT(model_refusal(bytes.substr(0, bytes.size() - 1)), HasSubstr("not a SentencePiece model: it is cut off"));
  EXPECT_THAT(model_refusal(""), HasSubstr("t.model: it has no pieces"));
  EXPECT_THAT(model_refusal("{\"version\": \"1.0\"}"), HasSubstr("not a SentencePiece model: a field"));
  EXPECT_THAT(model_refusal(std::string(11, '\xFF')), HasSubstr("a number is longer than 64 bits"));
}

TEST(SentencePieceFile, RefusesWhatItWouldDoDifferently) {
  SmallModel model = small_model();
  model.type = 3;
  EXPECT_THAT(model_refusal(model.bytes()), HasSubstr("its model type is 3; supported: 1 (Unigram), 2 (BPE)"));
  model = small_model();
  model.pieces.push_back({"he", -20});
  EXPECT_THAT(model_refusal(model.bytes()), HasSubstr("piece 13 ('he') occurs twice"));
  model = small_model();
  model.pieces[5].type = 5;
  EXPECT_THAT(model_refusal(model.bytes()), HasSubstr("piece 5 ('e') is of type 5; supported: 1 to 4 and 6"));
  model = small_model();
  model.pieces[5].text = "\xFF";
  EXPECT_THAT(model_refusal(model.bytes()), HasSubstr("piece 5 ('\\xFF') is not UTF-8 text"));
  model = small_model();
  model.rules = "rules";
  EXPECT_THAT(model_refusal(model.bytes()), HasSubstr("its normalisation rules are broken"));
  EXPECT_THAT(model_refusal(small_model().bytes() + bytes_field(2, number_field(24, 1))),
              HasSubstr("white space as suffix"));
}

}  // namespace
}  // namespace diopter::text
