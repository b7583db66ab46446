#include "holdouts.hpp"
#include "sentences.hpp"
#include "tasks.hpp"

namespace training {
namespace {

Words with_space(const Words& words) {
  Words out;
  for (const std::string& word : words) out.push_back(" " + word.substr(0, word.find(' ')));  // "has been" -> " has"
  return out;
}

void add_pronouns(const Lexicon& lexicon, bool female, Rng& rng, std::vector<TaskPrompt>& out) {
  const Words& roles = female ? lexicon.female_roles : lexicon.male_roles;
  for (std::size_t role = 0; role < roles.size(); ++role) {
    for (std::size_t t = 0; t < lexicon.pronoun_templates.size(); ++t) {
      if (!held_out::pronoun(static_cast<std::int64_t>(role), static_cast<std::int64_t>(t))) continue;
      const std::string& pattern = lexicon.pronoun_templates[t];
      const bool possessive = pattern.find("{q}") != std::string::npos;
      const Words she{possessive ? " her" : " she"}, he{possessive ? " his" : " he"};
      out.push_back({"pronoun",
                     fill(before_answer(pattern, "pq"), {{'R', roles[role]}, {'P', rng.pick(lexicon.places)}}),
                     female ? she : he, female ? he : she});
    }
  }
}

}  // namespace

std::vector<TaskPrompt> pronoun_prompts(const Lexicon& lexicon, Rng& rng) {
  std::vector<TaskPrompt> out;
  add_pronouns(lexicon, false, rng, out);
  add_pronouns(lexicon, true, rng, out);
  return out;
}

std::vector<TaskPrompt> agreement_prompts(const Lexicon& lexicon, std::int64_t count, Rng& rng) {
  const Words singular = with_space(lexicon.verbs_singular), plural = with_space(lexicon.verbs_plural);
  std::vector<TaskPrompt> out;
  while (std::ssize(out) < count) {
    const std::int64_t a = rng.below(std::ssize(lexicon.nouns)), b = rng.below(std::ssize(lexicon.nouns));
    const std::int64_t preposition = rng.below(std::ssize(lexicon.prepositions));
    if (a == b || !held_out::agreement(a, b, preposition)) continue;
    const bool is_plural = rng.chance(0.5);
    const Lexicon::Noun &first = lexicon.nouns[a], &second = lexicon.nouns[b];
    out.push_back({"agreement",
                   "The " + (is_plural ? first.plural : first.singular) + " " + lexicon.prepositions[preposition] +
                       " the " + (is_plural ? second.singular : second.plural),
                   is_plural ? plural : singular, is_plural ? singular : plural});
  }
  return out;
}

std::vector<TaskPrompt> tense_prompts(const Lexicon& lexicon) {
  Words past;
  for (const Lexicon::Verb& verb : lexicon.verbs) past.push_back(verb.past);
  past = with_space(past);
  std::vector<TaskPrompt> out;
  for (const bool is_past : {true, false}) {
    const Words& adverbs = is_past ? lexicon.past_adverbs : lexicon.future_adverbs;
    for (std::size_t i = 0; i < adverbs.size(); ++i) {
      for (std::size_t j = 0; j < lexicon.subjects.size(); ++j) {
        if (!held_out::tense(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j))) continue;
        out.push_back({"tense", adverbs[i] + " " + lexicon.subjects[j], is_past ? past : Words{" will"},
                       is_past ? Words{" will"} : past});
      }
    }
  }
  return out;
}

}  // namespace training
