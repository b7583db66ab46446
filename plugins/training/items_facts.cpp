// Facts: landmarks, capitals, prizes. Each fact is met in most of its templates; the rest is for testing.
#include "holdouts.hpp"
#include "items.hpp"
#include "sentences.hpp"

namespace training {
namespace {

struct Choice {
  std::int64_t fact, t;
};

template <class Facts>
Choice draw(const Facts& facts, const Words& templates, bool (*is_held_out)(std::int64_t, std::int64_t), Rng& rng) {
  for (;;) {
    const std::int64_t fact = rng.below(std::ssize(facts));
    const std::int64_t t = rng.below(std::ssize(templates));
    if (!is_held_out(fact, t)) return {fact, t};
  }
}

}  // namespace

std::string landmark_item(const Lexicon& lexicon, Rng& rng) {
  const Choice c = draw(lexicon.landmarks, lexicon.landmark_templates, held_out::landmark, rng);
  const Lexicon::Landmark& fact = lexicon.landmarks[c.fact];
  return capitalised(
      fill(lexicon.landmark_templates[c.t], {{'X', fact.landmark}, {'C', fact.city}, {'K', fact.country}}));
}

std::string capital_item(const Lexicon& lexicon, Rng& rng) {
  const Choice c = draw(lexicon.capitals, lexicon.capital_templates, held_out::capital, rng);
  const Lexicon::Capital& fact = lexicon.capitals[c.fact];
  return capitalised(
      fill(lexicon.capital_templates[c.t], {{'K', fact.country}, {'C', fact.capital}, {'G', fact.language}}));
}

std::string prize_item(const Lexicon& lexicon, Rng& rng) {
  const Choice c = draw(lexicon.prizes, lexicon.prize_templates, held_out::prize, rng);
  const Lexicon::Prize& fact = lexicon.prizes[c.fact];
  return capitalised(fill(lexicon.prize_templates[c.t], {{'X', fact.person}, {'F', fact.field}}));
}

}  // namespace training
