#include "items.hpp"

#include <diopter/error.hpp>

namespace training {

const char* kind_name(Kind kind) {
  constexpr const char* kNames[] = {"ioi",   "landmark", "capital",  "prize",     "pronoun", "agreement",
                                    "tense", "lists",    "relation", "sentiment", "story",   "induction"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string item(Kind kind, const Lexicon& lexicon, Rng& rng) {
  switch (kind) {
    case Kind::Ioi: return ioi_item(lexicon, rng);
    case Kind::Landmark: return landmark_item(lexicon, rng);
    case Kind::Capital: return capital_item(lexicon, rng);
    case Kind::Prize: return prize_item(lexicon, rng);
    case Kind::Pronoun: return pronoun_item(lexicon, rng);
    case Kind::Agreement: return agreement_item(lexicon, rng);
    case Kind::Tense: return tense_item(lexicon, rng);
    case Kind::Lists: return lists_item(lexicon, rng);
    case Kind::Relation: return relation_item(lexicon, rng);
    case Kind::Sentiment: return sentiment_item(lexicon, rng);
    case Kind::Story: return story_item(lexicon, rng);
    case Kind::Induction: break;
  }
  throw diopter::Error("documents of random ids have no text.");
}

}  // namespace training
