// What is tested on is never trained on: 20,000 documents are searched for every held-out combination.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "corpus.hpp"
#include "holdouts.hpp"
#include "lexicon_here.hpp"
#include "sentences.hpp"
#include "tasks.hpp"

namespace training {
namespace {

constexpr std::int64_t kDocuments = 20'000;

// All items of a kind, in natural style.
std::vector<std::string> items_of(Kind kind, std::int64_t count) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < count; ++i) {
    Rng rng(77, static_cast<std::uint64_t>(i));
    out.push_back(item(kind, lexicon_here(), rng));
  }
  return out;
}

void expect_absent(const std::vector<TaskPrompt>& prompts, Kind kind) {
  std::set<std::string> forbidden;
  for (const TaskPrompt& prompt : prompts) {
    for (const std::string& answer : prompt.answers) forbidden.insert(prompt.prompt + answer);
  }
  ASSERT_FALSE(forbidden.empty());
  for (const std::string& text : items_of(kind, kDocuments)) {
    for (std::size_t end = 0; end <= text.size(); ++end) {
      if (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0) continue;  // whole words
      ASSERT_FALSE(forbidden.contains(text.substr(0, end))) << text;
    }
  }
}

std::vector<TaskPrompt> facts(const std::string& task) {
  std::vector<TaskPrompt> out;
  for (TaskPrompt& prompt : fact_prompts(lexicon_here())) {
    if (prompt.task == task) out.push_back(std::move(prompt));
  }
  return out;
}

TEST(Holdouts, LandmarksAreNeverTrainedOn) { expect_absent(facts("landmark"), Kind::Landmark); }
TEST(Holdouts, CapitalsAreNeverTrainedOn) { expect_absent(facts("capital"), Kind::Capital); }
TEST(Holdouts, PrizesAreNeverTrainedOn) { expect_absent(facts("prize"), Kind::Prize); }
TEST(Holdouts, TensesAreNeverTrainedOn) { expect_absent(tense_prompts(lexicon_here()), Kind::Tense); }

TEST(Holdouts, PronounsAreNeverTrainedOn) {
  std::vector<TaskPrompt> all;
  for (std::uint64_t draw = 0; draw < 200; ++draw) {  // of places
    Rng rng(3, draw);
    for (TaskPrompt& prompt : pronoun_prompts(lexicon_here(), rng)) all.push_back(std::move(prompt));
  }
  expect_absent(all, Kind::Pronoun);
}

TEST(Holdouts, AgreementIsNeverTrainedOn) {
  Rng rng(3, 1);
  expect_absent(agreement_prompts(lexicon_here(), 5000, rng), Kind::Agreement);
}

TEST(Holdouts, PairsOfNamesNeverMeetInATransfer) {
  const Words& names = lexicon_here().names;
  for (const std::string& text : items_of(Kind::Ioi, kDocuments)) {
    std::vector<std::int64_t> present;
    for (std::int64_t n = 0; n < std::ssize(names); ++n) {
      const std::size_t at = text.find(names[static_cast<std::size_t>(n)]);
      const std::size_t end = at + names[static_cast<std::size_t>(n)].size();
      // "Oliver" begins "Oliver" only: the letter after it must end the word.
      for (std::size_t p = at; p != std::string::npos; p = text.find(names[static_cast<std::size_t>(n)], p + 1)) {
        if (std::isalpha(static_cast<unsigned char>(text[p + end - at])) != 0) continue;
        present.push_back(n);
        break;
      }
    }
    ASSERT_GE(present.size(), 2U) << text;
    for (const std::int64_t a : present) {
      for (const std::int64_t b : present) {
        ASSERT_TRUE(a == b || !held_out::names(a, b)) << text;
      }
    }
  }
}

TEST(Holdouts, ScenesNeverOccurInATransfer) {
  const Lexicon& lexicon = lexicon_here();
  for (const std::string& text : items_of(Kind::Ioi, kDocuments)) {
    for (std::size_t t = 0; t < lexicon.ioi_templates.size(); ++t) {
      // The words between the place's article and the names tell the template.
      const std::string pattern = lexicon.ioi_templates[t];
      const std::string opening = pattern.substr(0, pattern.find('{'));
      const std::string middle =
          pattern.substr(pattern.find("{B}") + 3, pattern.find('{', pattern.find("{B}") + 3) - pattern.find("{B}") - 3);
      if (!text.starts_with(opening) || text.find(middle) == std::string::npos) continue;
      for (std::size_t p = 0; p < lexicon.places.size(); ++p) {
        if (!held_out::scene(static_cast<std::int64_t>(t), static_cast<std::int64_t>(p))) continue;
        ASSERT_EQ(text.find(" the " + lexicon.places[p]), std::string::npos) << text;
      }
    }
  }
}

TEST(Holdouts, KeysOfListsAreNeverKeys) {
  const Lexicon& lexicon = lexicon_here();
  std::set<std::string> antonym_pairs, german_pairs;  // "cold: hot"
  for (std::int64_t w = 0; w < lexicon.pair_words(); ++w) {
    if (held_out::antonym_key(w)) antonym_pairs.insert(lexicon.pair_word(w) + ": " + lexicon.antonym(w));
    if (held_out::german_key(w)) german_pairs.insert(lexicon.pair_word(w) + ": " + lexicon.german(w));
  }
  EXPECT_EQ(antonym_pairs.size(), 10U);
  EXPECT_EQ(german_pairs.size(), 10U);
  for (const std::string& text : items_of(Kind::Lists, kDocuments)) {
    for (const auto& pairs : {antonym_pairs, german_pairs}) {
      for (const std::string& pair : pairs) {
        const std::size_t at = text.find(pair);
        const bool whole = at != std::string::npos && (at == 0 || text[at - 1] == ' ');
        ASSERT_FALSE(whole) << text;
      }
    }
  }
}

TEST(Holdouts, AdjectivesOfReviewsAreNeverInTheirTemplate) {
  const Lexicon& lexicon = lexicon_here();
  for (const std::string& text : items_of(Kind::Sentiment, kDocuments)) {
    for (std::size_t t = 0; t < static_cast<std::size_t>(held_out::kVerbOnly); ++t) {
      const std::string& pattern = lexicon.sentiment_templates[t];
      const std::string opening = pattern.substr(0, pattern.find('{'));
      if (!text.starts_with(opening) || (opening == "The ") != (text.starts_with("The "))) continue;
      if (opening == "The " &&
          (text.find(" was so ") == std::string::npos) != (pattern.find(" was so ") == std::string::npos))
        continue;
      for (const Lexicon::Sentiment& side : lexicon.sentiment) {
        for (std::size_t i = 0; i < side.adjectives.size(); ++i) {
          if (!held_out::sentiment(static_cast<std::int64_t>(i), static_cast<std::int64_t>(t))) continue;
          ASSERT_EQ(text.find(" " + side.adjectives[i]), std::string::npos) << text;
        }
      }
    }
  }
}

}  // namespace
}  // namespace training
