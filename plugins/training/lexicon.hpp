// The word lists and templates of the corpus (lexicon.toml). Positions in the lists matter: the hold-out rules use
// them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace training {

using Words = std::vector<std::string>;

struct Lexicon {
  struct Landmark {
    std::string landmark, city, country;
  };
  struct Capital {
    std::string country, capital, language;
  };
  struct Prize {
    std::string person, field;
  };
  struct Noun {
    std::string singular, plural;
  };
  struct Verb {
    std::string base, past, third_person, complement;
  };
  struct PairRow {
    std::string word, german, antonym, german_of_antonym;
  };
  struct Sentiment {
    Words adjectives, verbs, answers;
  };

  Words names;  // interleaved: index 2i is female[i], 2i + 1 is male[i]
  Words places, objects, ioi_templates;
  std::vector<Landmark> landmarks;
  Words landmark_templates;
  std::vector<Capital> capitals;
  Words capital_templates;
  std::vector<Prize> prizes;
  Words prize_templates;
  Words male_roles, female_roles, neutral_roles, states, pronoun_templates;
  std::vector<Noun> nouns;
  Words prepositions, adjectives, verbs_singular, verbs_plural;
  std::vector<Verb> verbs;
  Words past_adverbs, future_adverbs, present_adverbs, subjects;  // subjects: pronouns, then all names
  std::int64_t pronoun_subjects = 0;                              // how many of them are pronouns
  std::vector<PairRow> pairs;
  Words relation_templates;
  std::string antonym_header, german_header;
  std::array<Sentiment, 2> sentiment;  // positive, negative
  std::vector<std::int64_t> answer_weights;
  Words items, sentiment_templates;
  Words animals, colours, weather, food, jobs, counts, story_openings, story_sentences;
  std::array<std::int64_t, 12> mixture{};  // weight of each Kind

  bool is_female(std::int64_t name) const { return name % 2 == 0; }
  // Word-pair words by index: 2 row, and 2 row + 1 for its antonym.
  std::int64_t pair_words() const { return 2 * static_cast<std::int64_t>(pairs.size()); }
  const std::string& pair_word(std::int64_t index) const;
  const std::string& antonym(std::int64_t index) const;
  const std::string& german(std::int64_t index) const;
};

// diopter::Error names the file and, for an entry that is missing or of another shape, the key.
Lexicon read_lexicon(const std::filesystem::path& file);

}  // namespace training
