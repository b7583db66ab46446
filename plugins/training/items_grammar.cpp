// Grammar: pronouns that agree with a role, verbs that agree with the first noun, tenses that agree with an adverb.
#include <utility>

#include "holdouts.hpp"
#include "items.hpp"
#include "sentences.hpp"

namespace training {
namespace {

// "The {R}" and "the {R}" -> "{R}": names take no article.
std::string without_article(std::string pattern) {
  const auto role = pattern.find("{R}");
  return role == std::string::npos || role < 4 ? pattern : pattern.erase(role - 4, 4);
}

std::string with_objects(const Lexicon& lexicon, std::string_view pattern, Rng& rng) {
  return fill(
      pattern,
      {{'P', rng.pick(lexicon.places)}, {'O', rng.pick(lexicon.objects)}, {'n', rng.pick(lexicon.nouns).singular}});
}

}  // namespace

std::string pronoun_item(const Lexicon& lexicon, Rng& rng) {
  const double who = rng.uniform();
  const bool by_name = who >= 0.9;
  const Words& roles = who < 0.4   ? lexicon.male_roles
                       : who < 0.8 ? lexicon.female_roles
                       : by_name   ? lexicon.names
                                   : lexicon.neutral_roles;
  std::int64_t role = 0, t = 0;
  do {
    role = rng.below(std::ssize(roles));
    t = rng.below(std::ssize(lexicon.pronoun_templates));
  } while (!by_name && held_out::pronoun(role, t));
  const bool she = who < 0.4 ? false : who < 0.8 ? true : by_name ? lexicon.is_female(role) : rng.chance(0.5);
  std::string pattern = lexicon.pronoun_templates[t];
  if (by_name) pattern = without_article(std::move(pattern));
  return fill(pattern, {{'R', roles[role]},
                        {'p', she ? "she" : "he"},
                        {'q', she ? "her" : "his"},
                        {'E', rng.pick(lexicon.states)},
                        {'O', rng.pick(lexicon.objects)},
                        {'P', rng.pick(lexicon.places)}});
}

std::string agreement_item(const Lexicon& lexicon, Rng& rng) {
  std::int64_t a = 0, b = 0, preposition = 0;
  do {
    a = rng.below(std::ssize(lexicon.nouns));
    b = rng.below(std::ssize(lexicon.nouns));
    preposition = rng.below(std::ssize(lexicon.prepositions));
  } while (a == b || held_out::agreement(a, b, preposition));
  const bool plural = rng.chance(0.5), attractor_plural = rng.chance(0.5);
  constexpr std::int64_t kVerbWeights[] = {2, 1, 1};  // is, was, has been
  const std::size_t verb = rng.weighted(kVerbWeights);
  const Lexicon::Noun &first = lexicon.nouns[a], &second = lexicon.nouns[b];
  std::string text = "The " + (plural ? first.plural : first.singular);
  if (rng.chance(0.8)) {
    text += " " + lexicon.prepositions[preposition] + " the " + (attractor_plural ? second.plural : second.singular);
  }
  return text + " " + (plural ? lexicon.verbs_plural : lexicon.verbs_singular)[verb] + " " +
         rng.pick(lexicon.adjectives) + ".";
}

std::string tense_item(const Lexicon& lexicon, Rng& rng) {
  const double when = rng.uniform();
  const Words& adverbs = when < 0.4   ? lexicon.past_adverbs
                         : when < 0.8 ? lexicon.future_adverbs
                                      : lexicon.present_adverbs;
  const std::int64_t pronouns = lexicon.pronoun_subjects;
  std::int64_t adverb = 0, subject = 0;
  do {
    adverb = rng.below(std::ssize(adverbs));
    subject = rng.chance(0.5) ? rng.below(pronouns) : rng.between(pronouns, std::ssize(lexicon.subjects) - 1);
  } while (held_out::tense(adverb, subject));
  const std::string& who = lexicon.subjects[subject];
  const bool third_person = subject >= pronouns || who == "she" || who == "he";
  const Lexicon::Verb& verb = rng.pick(lexicon.verbs);
  const std::string form = when < 0.4     ? verb.past
                           : when < 0.8   ? "will " + verb.base
                           : third_person ? verb.third_person
                                          : verb.base;
  return adverbs[adverb] + " " + who + " " + form + " " + with_objects(lexicon, verb.complement, rng) + ".";
}

}  // namespace training
