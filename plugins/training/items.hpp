// One item of each kind of document: a sentence or a few. Text in natural style ("store, John ... to Mary.").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lexicon.hpp"
#include "rng.hpp"

namespace training {

// In the order of [mixture].
enum class Kind : std::uint8_t {
  Ioi,
  Landmark,
  Capital,
  Prize,
  Pronoun,
  Agreement,
  Tense,
  Lists,
  Relation,
  Sentiment,
  Story,
  Induction
};
inline constexpr std::size_t kKinds = 12;
const char* kind_name(Kind kind);

std::string ioi_item(const Lexicon& lexicon, Rng& rng);
std::string landmark_item(const Lexicon& lexicon, Rng& rng);
std::string capital_item(const Lexicon& lexicon, Rng& rng);
std::string prize_item(const Lexicon& lexicon, Rng& rng);
std::string pronoun_item(const Lexicon& lexicon, Rng& rng);
std::string agreement_item(const Lexicon& lexicon, Rng& rng);
std::string tense_item(const Lexicon& lexicon, Rng& rng);
std::string lists_item(const Lexicon& lexicon, Rng& rng);
std::string relation_item(const Lexicon& lexicon, Rng& rng);
std::string sentiment_item(const Lexicon& lexicon, Rng& rng);
std::string story_item(const Lexicon& lexicon, Rng& rng);
std::string item(Kind kind, const Lexicon& lexicon, Rng& rng);  // any but Induction

// "a: b, c: d" of word-pair words (indices) and what the task answers for each; the last answer left out if `open`.
enum class ListTask { Antonym, German };
std::string word_list(const Lexicon& lexicon, ListTask task, const std::vector<std::int64_t>& words, bool open);

// Repeated blocks of random ids, at most `longest`. `ids` of the vocabulary: 1 .. vocabulary - 1, or those of
// `content`.
std::vector<std::int32_t> induction_ids(std::int64_t vocabulary, const std::vector<std::int32_t>& content,
                                        std::size_t longest, Rng& rng);

}  // namespace training
