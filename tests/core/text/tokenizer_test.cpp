#include "text/tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "small_tokenizer.hpp"

namespace diopter::text {
namespace {

using base::Exit;
using base::Json;
using base::UserError;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Tokenizer small() { return Tokenizer::parse(tokenizer_json(small_vocabulary()), "small"); }
std::int64_t byte_id(char c) { return *small().single_token(std::string(1, c)); }

template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const UserError& error) {
    EXPECT_EQ(error.exit(), Exit::Refused);
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

TEST(Tokenizer, MergesByRank) {
  const Tokenizer tokenizer = small();
  EXPECT_THAT(tokenizer.encode("hello the"), ElementsAre(259, byte_id('o'), 261));
  EXPECT_THAT(tokenizer.encode("t the"), ElementsAre(byte_id('t'), 261));
  EXPECT_THAT(tokenizer.encode("lll"), ElementsAre(258, byte_id('l')));
  EXPECT_THAT(tokenizer.encode(""), IsEmpty());
  EXPECT_EQ(tokenizer.size(), 263);
}

TEST(Tokenizer, RecognisesSpecialTokensInTheTextAndAddsNone) {
  const Tokenizer tokenizer = small();
  EXPECT_THAT(tokenizer.encode("he<|endoftext|>he"), ElementsAre(257, 0, 257));
  EXPECT_EQ(tokenizer.added_token("<|endoftext|>"), 0);
  EXPECT_EQ(tokenizer.added_token("<|endoftex|>"), std::nullopt);
  EXPECT_EQ(tokenizer.bos(), 0);
  EXPECT_EQ(tokenizer.eos(), 0);
  EXPECT_TRUE(tokenizer.is_special(0));
  EXPECT_FALSE(tokenizer.is_special(257));
  EXPECT_THAT(tokenizer.ids_before(), IsEmpty());
}

TEST(Tokenizer, SpansAreBytesOfTheTextWidenedToCharacters) {
  const Tokenizer tokenizer = small();
  const Encoded plain = tokenizer.encode_with_spans("hello the");
  EXPECT_THAT(plain.spans, ElementsAre(Span{0, 4}, Span{4, 5}, Span{5, 9}));
  const Encoded cut = tokenizer.encode_with_spans("a\u20ac");  // the euro sign is three tokens here
  EXPECT_THAT(cut.spans, ElementsAre(Span{0, 1}, Span{1, 4}, Span{1, 4}, Span{1, 4}));
}

TEST(Tokenizer, DecodesPartsOfCharactersAsReplacementsAndBytesExactly) {
  const Tokenizer tokenizer = small();
  const auto euro = tokenizer.encode("\u20ac");
  ASSERT_EQ(euro.size(), 3u);
  EXPECT_EQ(tokenizer.token_bytes(euro[0]), "\xE2");
  EXPECT_EQ(tokenizer.decode(euro), "\u20ac");
  EXPECT_EQ(tokenizer.decode(std::vector{euro[0], euro[1]}), "\uFFFD");
  EXPECT_EQ(tokenizer.decode(std::vector{euro[1], euro[2]}), "\uFFFD\uFFFD");
  EXPECT_EQ(tokenizer.label(euro[0]), "\\xE2");
  EXPECT_EQ(tokenizer.label(byte_id('\n')), "\\n");
  EXPECT_EQ(tokenizer.label(99999), "[id 99999]");
  EXPECT_EQ(tokenizer.decode(std::vector<std::int64_t>{0, 257, 0}, SpecialTokens::Skip), "he");
  EXPECT_EQ(tokenizer.decode(std::vector<std::int64_t>{0, 257}), "<|endoftext|>he");
}

TEST(Tokenizer, PiecesAndSingleTokens) {
  const Tokenizer tokenizer = small();
  EXPECT_THAT(tokenizer.pieces("hello \u00e9"), ElementsAre("hell", "o", " ", "\u00e9"));
  EXPECT_EQ(tokenizer.single_token(" the"), 261);
  EXPECT_EQ(tokenizer.single_token("the"), std::nullopt);
  EXPECT_EQ(tokenizer.single_token(""), std::nullopt);
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8WithItsOffset) {
  EXPECT_THAT(refusal([] { small().encode("ab\xFFz"); }), HasSubstr("not UTF-8 at byte 2: '\\xFFz'"));
  EXPECT_THAT(refusal([] { small().encode("a\xED\xA0\x80"); }), HasSubstr("at byte 1"));  // a surrogate
}

TEST(Tokenizer, RefusesIdsWithoutAToken) {
  EXPECT_THAT(refusal([] { small().decode(std::vector<std::int64_t>{263}); }), HasSubstr("no token with id 263"));
  EXPECT_THAT(refusal([] { small().token_bytes(-1); }), HasSubstr("no token with id -1; ids go from 0 to 262"));
}

TEST(Tokenizer, NamesAByteThatTheVocabularyLacks) {
  Json document = small_document();
  document["model"]["vocab"].erase("z");
  const Tokenizer tokenizer = Tokenizer::parse(document.dump(), "holes.json");
  EXPECT_THAT(refusal([&] { tokenizer.encode("he z"); }),
              HasSubstr("holes.json: the vocabulary has no token for the byte 0x7a, which the text has at byte 3"));
  EXPECT_THAT(tokenizer.encode("he"), ElementsAre(257));
  EXPECT_FALSE(tokenizer.has(byte_id('z')));  // ids may have holes
}

TEST(Tokenizer, TakesWholeWordsBeforeMergesWhenTold) {
  Json document = small_document();
  document["model"]["vocab"]["help"] = 263;
  EXPECT_EQ(Tokenizer::parse(document.dump(), "x").encode("help").size(), 3u);
  document["model"]["ignore_merges"] = true;
  EXPECT_THAT(Tokenizer::parse(document.dump(), "x").encode("help"), ElementsAre(263));
}

TEST(Tokenizer, WordsAsLongAsTheTextAreNoTrouble) {
  const Tokenizer tokenizer = small();
  for (const std::string unit : {"l", " ", "\u00e9", "1", "!", "\n", "\u3000", "he"}) {
    std::string text;
    while (text.size() < 2'000'000) text += unit;
    const auto ids = tokenizer.encode(text);
    EXPECT_EQ(tokenizer.decode(ids), text);
  }
}

TEST(Tokenizer, ThreadsShareOne) {
  const Tokenizer tokenizer = small();
  const std::string text = "hello the he<|endoftext|>ll \u00e9 123 don't";
  const auto expected = tokenizer.encode(text);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) wrong[t] += tokenizer.encode(text) != expected;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(Tokenizer, HashIsThatOfTheFile) {
  const std::string json = tokenizer_json(small_vocabulary());
  EXPECT_EQ(Tokenizer::parse(json, "x").sha256(), base::sha256(json));
}

TEST(Tokenizer, LoadNamesWhatIsMissing) {
  EXPECT_THAT(refusal([] { Tokenizer::load("/nonexistent/model"); }),
              HasSubstr("no tokenizer file /nonexistent/model"));
}

// The published ids of GPT-2.
TEST(Tokenizer, KnowsGpt2) {
  const char* source = std::getenv("DIOPTER_SOURCE_DIR");
  const std::filesystem::path folder = std::filesystem::path(source ? source : ".") / "../shared/tokenizers/gpt2";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no ../shared/tokenizers/gpt2";
  const Tokenizer tokenizer = Tokenizer::load(folder);
  EXPECT_THAT(tokenizer.encode("Hello world!"), ElementsAre(15496, 995, 0));
  EXPECT_EQ(tokenizer.single_token(" Mary"), 5335);
  EXPECT_EQ(tokenizer.single_token("Mary"), 24119);
  EXPECT_EQ(tokenizer.encode(" Colosseum").size(), 4u);
  EXPECT_EQ(tokenizer.encode("After John and Mary went to the store, Mary gave a bottle of milk to").size(), 16u);
  EXPECT_EQ(tokenizer.bos(), 50256);
  EXPECT_EQ(tokenizer.size(), 50257);
}

}  // namespace
}  // namespace diopter::text
