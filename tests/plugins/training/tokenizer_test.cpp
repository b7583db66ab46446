#include <gtest/gtest.h>

#include <set>

#include "corpus.hpp"
#include "lexicon_here.hpp"
#include "pre_tokens.hpp"
#include "text/tokenizer.hpp"
#include "word_tokenizer.hpp"

namespace training {
namespace {

TEST(PreTokens, SplitAsGpt2Does) {
  using Pieces = std::vector<std::string_view>;
  EXPECT_EQ(pre_tokens("Hello world."), (Pieces{"Hello", " world", "."}));
  EXPECT_EQ(pre_tokens("it's  two\n\nlines "), (Pieces{"it", "'s", " ", " two", "\n", "\n", "lines", " "}));
  EXPECT_EQ(pre_tokens("a1 b22,c ..."), (Pieces{"a", "1", " b", "22", ",", "c", " ..."}));
  EXPECT_EQ(pre_tokens(""), Pieces{});
  EXPECT_THROW(pre_tokens("caf\xc3\xa9"), std::runtime_error);
}

TEST(WordTokenizer, MakesEveryPreTokenOfTheCorpusOneToken) {
  const WordTokenizer& tokenizer = corpus_here().tokenizer;
  std::set<std::string> words;
  for (std::int64_t d = 0; d < 20'000; ++d) {
    const std::string text = document_text(lexicon_here(), 1, d).text;
    const auto pieces = pre_tokens(text);
    ASSERT_EQ(tokenizer.encode(text).size(), pieces.size()) << text;
    words.insert(pieces.begin(), pieces.end());
  }
  EXPECT_GT(words.size(), 1'150U);
  EXPECT_NEAR(static_cast<double>(tokenizer.size()), 2'628, 40);
}

TEST(WordTokenizer, GivesBackTheText) {
  const WordTokenizer& tokenizer = corpus_here().tokenizer;
  for (const std::string text :
       {"When Mary and John went to the store, John gave a drink to", "Zyxw qrst, 3.14!", "  two  spaces \n"}) {
    std::string back;
    for (const std::int32_t id : tokenizer.encode(text)) back += tokenizer.bytes(id);
    EXPECT_EQ(back, text);
  }
}

TEST(WordTokenizer, EncodesAsTheTokenizerOfTheHostDoes) {
  const WordTokenizer& ours = corpus_here().tokenizer;
  const auto host = diopter::text::Tokenizer::parse(ours.json(), "tokenizer.json");
  EXPECT_EQ(host.size(), ours.size());
  EXPECT_EQ(host.eos(), WordTokenizer::kDocumentEnd);
  std::size_t compared = 0;
  const auto compare = [&](const std::string& text) {
    const std::vector<std::int32_t> ids = ours.encode(text);
    ASSERT_EQ(host.encode(text), std::vector<std::int64_t>(ids.begin(), ids.end())) << text;
    compared += ids.size();
  };
  for (std::int64_t d = 0; d < 3'000; ++d) compare(document_text(lexicon_here(), 1, d).text);
  for (const char* text : {"it's we'll they're I'm", "x  y\t\tz \n\n", "unseen Words, 12 34", "a.b,c:d;;", "   "})
    compare(text);
  std::printf("compared %zu token ids\n", compared);
}

TEST(WordTokenizer, RefusesToCallAPieceAWord) {
  EXPECT_EQ(corpus_here().tokenizer.bytes(corpus_here().tokenizer.word(" Mary")), " Mary");
  EXPECT_THROW(corpus_here().tokenizer.word(" Zyxw"), std::runtime_error);
}

}  // namespace
}  // namespace training
