#include "tasks.hpp"

#include <gtest/gtest.h>

#include <map>

#include "corpus.hpp"
#include "lexicon_here.hpp"

namespace training {
namespace {

TEST(Tasks, AreAllHeldOutCombinations) {
  std::map<std::string, int> counts;
  for (const TaskPrompt& prompt : all_task_prompts(lexicon_here(), 1)) ++counts[prompt.task];
  const std::map<std::string, int> expected{
      {"ioi", 500},    {"landmark", 51},         {"capital", 59},         {"prize", 26},
      {"pronoun", 58}, {"agreement", 500},       {"tense", 88},           {"antonym", 500},
      {"german", 500}, {"antonym_new_key", 150}, {"german_new_key", 150}, {"sentiment", 300}};
  EXPECT_EQ(counts, expected);
}

TEST(Tasks, AskForSingleTokens) {
  const Corpus corpus = make_corpus(lexicon_here(), 1, 20'000);
  std::size_t induction = 0;
  for (const TaskRow& row : task_rows(lexicon_here(), corpus.tokenizer, 1)) {
    EXPECT_EQ(row.ids.front(), WordTokenizer::kDocumentEnd);
    EXPECT_LE(row.ids.size(), 96U);
    EXPECT_FALSE(row.answers.empty());
    EXPECT_FALSE(row.foils.empty());
    for (const std::int32_t answer : row.answers) {
      EXPECT_EQ(std::count(row.foils.begin(), row.foils.end(), answer), 0) << row.text;
    }
    induction += row.task == "induction";
  }
  EXPECT_EQ(induction, 64U * 24U);
}

TEST(Tasks, ReadLikeTheirTraining) {
  Rng rng(1, 1);
  for (const TaskPrompt& prompt : all_task_prompts(lexicon_here(), 1)) {
    EXPECT_EQ(prompt.prompt.find('{'), std::string::npos) << prompt.prompt;
    EXPECT_NE(prompt.prompt.back(), ' ') << prompt.prompt;
    for (const std::string& answer : prompt.answers) EXPECT_EQ(answer.front(), ' ');
  }
}

}  // namespace
}  // namespace training
