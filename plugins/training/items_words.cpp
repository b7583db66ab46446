// Word pairs: lists of opposites or of German words, sentences about one pair; and reviews.
#include "holdouts.hpp"
#include "items.hpp"
#include "sentences.hpp"

namespace training {

std::string word_list(const Lexicon& lexicon, ListTask task, const std::vector<std::int64_t>& words, bool open) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i > 0 ? ", " : "") + lexicon.pair_word(words[i]) + ":";
    if (open && i + 1 == words.size()) break;
    text += " " + (task == ListTask::Antonym ? lexicon.antonym(words[i]) : lexicon.german(words[i]));
  }
  return text;
}

std::string lists_item(const Lexicon& lexicon, Rng& rng) {
  const ListTask task = rng.chance(0.5) ? ListTask::Antonym : ListTask::German;
  const auto is_held_out = task == ListTask::Antonym ? held_out::antonym_key : held_out::german_key;
  const std::int64_t count = rng.between(3, 9);
  std::vector<std::int64_t> words;
  for (const std::int64_t row : rng.distinct(std::ssize(lexicon.pairs), count)) {
    const std::int64_t word = 2 * row + rng.below(2);
    words.push_back(is_held_out(word) ? word ^ 1 : word);
  }
  const std::string& header = task == ListTask::Antonym ? lexicon.antonym_header : lexicon.german_header;
  return (rng.chance(0.25) ? header : std::string()) + word_list(lexicon, task, words, /*open=*/false) + ".";
}

std::string relation_item(const Lexicon& lexicon, Rng& rng) {
  const std::int64_t word = rng.below(lexicon.pair_words());
  return fill(rng.pick(lexicon.relation_templates),
              {{'W', lexicon.pair_word(word)}, {'A', lexicon.antonym(word)}, {'G', lexicon.german(word)}});
}

std::string sentiment_item(const Lexicon& lexicon, Rng& rng) {
  const Lexicon::Sentiment& words = lexicon.sentiment[static_cast<std::size_t>(rng.below(2))];
  std::int64_t adjective = 0, t = 0;
  do {
    adjective = rng.below(std::ssize(words.adjectives));
    t = rng.below(std::ssize(lexicon.sentiment_templates));
  } while (held_out::sentiment(adjective, t));
  return fill(lexicon.sentiment_templates[t], {{'N', rng.pick(lexicon.items)},
                                               {'J', words.adjectives[adjective]},
                                               {'V', rng.pick(words.verbs)},
                                               {'Z', words.answers[rng.weighted(lexicon.answer_weights)]}});
}

}  // namespace training
