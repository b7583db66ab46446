// Every given word is one token. The file written here is also given to tests/peers/text_oracle.py, so that
// text_oracle_test compares it with the tokenizers library.
#include "text/word_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "base/error.hpp"
#include "base/files.hpp"
#include "oracle_files.hpp"
#include "text/tokenizer.hpp"

namespace diopter::text {
namespace {

using testing::HasSubstr;

std::vector<std::string> words() {
  std::vector<std::string> out;
  for (const char* word : {"When",
                           "Mary",
                           "and",
                           "John",
                           "went",
                           "to",
                           "the",
                           "store",
                           "stores",
                           "restore",
                           "a",
                           "aa",
                           "aaa",
                           "aaaa",
                           "aaaaa",
                           "ab",
                           "abab",
                           "ababab",
                           "bab",
                           "abc",
                           "bcd",
                           "abcd",
                           "cab",
                           "dabc",
                           "banana",
                           "ananas",
                           "nana",
                           "\u00fcber",
                           "sch\u00f6n",
                           "gro\u00df",
                           "\u65e5\u672c\u8a9e",
                           "2026",
                           "1234567890",
                           "opposite",
                           "Opposites",
                           "German",
                           "he",
                           "she",
                           "then",
                           "them",
                           "hers",
                           "\u0438",
                           "\u043c\u0438\u0440"}) {
    out.emplace_back(word);
    out.push_back(" " + out.back());
  }
  for (const char* word : {"'s", "'ll", ",", ".", " ,", " .", ":", "...", " ", "  ", "\n", "\n\n", "?!"})
    out.emplace_back(word);
  return out;
}

TEST(WordTokenizer, EveryWordIsOneTokenThatDecodesToIt) {
  const std::string json = word_tokenizer(words());
  const Tokenizer tokenizer = Tokenizer::parse(json, "words");
  for (const auto& word : words()) {
    const auto id = tokenizer.single_token(word);
    ASSERT_TRUE(id) << word;
    EXPECT_EQ(tokenizer.token_bytes(*id), word);
  }
  EXPECT_EQ(tokenizer.added_token("<|endoftext|>"), 0);
  EXPECT_EQ(tokenizer.token_bytes(1), "!");
  EXPECT_EQ(tokenizer.encode(" store stores").size(), 2u);
  std::cout << words().size() << " words, " << tokenizer.size() << " ids\n";
  std::filesystem::create_directories(oracle_folder("."));
  base::write_file_atomically(oracle_folder("word_tokenizer.json"), json);
}

TEST(WordTokenizer, OrderAndRepetitionDoNotMatter) {
  auto shuffled = words();
  std::reverse(shuffled.begin(), shuffled.end());
  shuffled.push_back(shuffled.front());
  EXPECT_EQ(word_tokenizer(shuffled), word_tokenizer(words()));
}

TEST(WordTokenizer, NoWordsLeaveTheBytes) { EXPECT_EQ(Tokenizer::parse(word_tokenizer({}), "bytes").size(), 257); }

TEST(WordTokenizer, RefusesWhatThePatternCuts) {
  const auto refusal = [](const std::string& word) -> std::string {
    try {
      word_tokenizer({"fine", word});
    } catch (const base::UserError& error) {
      EXPECT_EQ(error.exit(), base::Exit::Usage);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("two words"), HasSubstr("'two words' cannot be one token"));
  EXPECT_THAT(refusal("two words"), HasSubstr("cuts it after 'two'"));
  EXPECT_THAT(refusal("don't"), HasSubstr("cuts it after 'don'"));
  EXPECT_THAT(refusal("a1"), HasSubstr("cuts it after 'a'"));
  EXPECT_THAT(refusal(""), HasSubstr("it is empty"));
  EXPECT_THAT(refusal("\xFF"), HasSubstr("it is not UTF-8"));
}

}  // namespace
}  // namespace diopter::text
