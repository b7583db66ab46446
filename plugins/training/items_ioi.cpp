// Indirect objects: two names, one of them does something, the other receives it.
#include "holdouts.hpp"
#include "items.hpp"
#include "sentences.hpp"

namespace training {
namespace {

struct People {
  std::int64_t a, b, subject, receiver;
};

bool any_pair_held_out(std::int64_t a, std::int64_t b, std::int64_t c) {
  return held_out::names(a, b) || held_out::names(a, c) || held_out::names(b, c);
}

// 88 %: one of the two gives to the other. 12 %: a third person gives to one of the two, so that "not the giver" is not
// enough.
People draw_people(std::int64_t names, Rng& rng) {
  for (;;) {
    const std::vector<std::int64_t> n = rng.distinct(names, 3);
    const bool swapped = rng.chance(0.5);
    if (rng.chance(0.12)) {
      if (!any_pair_held_out(n[0], n[1], n[2])) return {n[0], n[1], n[2], swapped ? n[0] : n[1]};
    } else if (!held_out::names(n[0], n[1])) {
      return {n[0], n[1], swapped ? n[1] : n[0], swapped ? n[0] : n[1]};
    }
  }
}

}  // namespace

std::string ioi_item(const Lexicon& lexicon, Rng& rng) {
  const People people = draw_people(static_cast<std::int64_t>(lexicon.names.size()), rng);
  std::int64_t t = 0, place = 0;
  do {
    t = rng.below(std::ssize(lexicon.ioi_templates));
    place = rng.below(std::ssize(lexicon.places));
  } while (held_out::scene(t, place));
  const std::string& subject = lexicon.names[people.subject];
  const std::string& receiver = lexicon.names[people.receiver];
  std::string text = fill(lexicon.ioi_templates[t], {{'A', lexicon.names[people.a]},
                                                     {'B', lexicon.names[people.b]},
                                                     {'S', subject},
                                                     {'P', lexicon.places[place]},
                                                     {'O', rng.pick(lexicon.objects)}});
  text += " " + receiver + ".";
  const double tail = rng.uniform();
  if (tail < 0.15) return text + " " + receiver + " thanked " + subject + ".";
  if (tail < 0.30) return text + " " + receiver + " was " + rng.pick(lexicon.states) + ".";
  if (tail < 0.40) {
    return text + (lexicon.is_female(people.receiver) ? " She was " : " He was ") + rng.pick(lexicon.states) + ".";
  }
  return text;
}

}  // namespace training
