// Stories: an opening and a few loose sentences about the same people.
#include "items.hpp"
#include "sentences.hpp"

namespace training {
namespace {

struct Cast {
  std::string_view n, m, animal;
  bool she;
  const Lexicon::Capital& home;
};

std::string sentence(const Lexicon& lexicon, std::string_view pattern, const Cast& cast, Rng& rng) {
  // Every slot draws, used or not: a sentence then takes the same number of draws whatever its template.
  return fill(pattern, {{'n', cast.n},
                        {'m', cast.m},
                        {'a', cast.animal},
                        {'p', cast.she ? "She" : "He"},
                        {'q', cast.she ? "her" : "his"},
                        {'K', cast.home.country},
                        {'C', cast.home.capital},
                        {'G', cast.home.language},
                        {'w', rng.pick(lexicon.weather)},
                        {'j', rng.pick(lexicon.jobs)},
                        {'c', rng.pick(lexicon.colours)},
                        {'P', rng.pick(lexicon.places)},
                        {'N', rng.pick(lexicon.nouns).singular},
                        {'M', rng.pick(lexicon.nouns).plural},
                        {'E', rng.pick(lexicon.states)},
                        {'F', rng.pick(lexicon.food)},
                        {'O', rng.pick(lexicon.objects)},
                        {'X', rng.pick(lexicon.counts)}});
}

}  // namespace

std::string story_item(const Lexicon& lexicon, Rng& rng) {
  const std::vector<std::int64_t> names = rng.distinct(std::ssize(lexicon.names), 2);
  const Cast cast{.n = lexicon.names[names[0]],
                  .m = lexicon.names[names[1]],
                  .animal = rng.pick(lexicon.animals),
                  .she = lexicon.is_female(names[0]),
                  .home = rng.pick(lexicon.capitals)};
  std::string text = sentence(lexicon, rng.pick(lexicon.story_openings), cast, rng);
  for (const std::int64_t s : rng.distinct(std::ssize(lexicon.story_sentences), rng.between(2, 5))) {
    text += " " + sentence(lexicon, lexicon.story_sentences[s], cast, rng);
  }
  return text;
}

}  // namespace training
