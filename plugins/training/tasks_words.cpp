#include "holdouts.hpp"
#include "items.hpp"
#include "sentences.hpp"
#include "tasks.hpp"

namespace training {

std::vector<TaskPrompt> ioi_prompts(const Lexicon& lexicon, std::int64_t count, Rng& rng) {
  std::vector<TaskPrompt> out;
  while (std::ssize(out) < count) {
    const std::vector<std::int64_t> pair = rng.distinct(std::ssize(lexicon.names), 2);
    const std::int64_t t = rng.below(std::ssize(lexicon.ioi_templates)), place = rng.below(std::ssize(lexicon.places));
    if (!held_out::names(pair[0], pair[1]) || !held_out::scene(t, place)) continue;
    const bool first_gives = rng.chance(0.5);
    const std::string &a = lexicon.names[pair[0]], &b = lexicon.names[pair[1]];
    const std::string &subject = first_gives ? a : b, &receiver = first_gives ? b : a;
    out.push_back(
        {"ioi",
         fill(lexicon.ioi_templates[t],
              {{'A', a}, {'B', b}, {'S', subject}, {'P', lexicon.places[place]}, {'O', rng.pick(lexicon.objects)}}),
         {" " + receiver},
         {" " + subject}});
  }
  return out;
}

std::vector<TaskPrompt> list_prompts(const Lexicon& lexicon, bool german, bool new_key, std::int64_t count, Rng& rng) {
  const ListTask task = german ? ListTask::German : ListTask::Antonym;
  const auto is_held_out = german ? held_out::german_key : held_out::antonym_key;
  const std::string name = std::string(german ? "german" : "antonym") + (new_key ? "_new_key" : "");
  std::vector<TaskPrompt> out;
  while (std::ssize(out) < count) {
    std::vector<std::int64_t> words;
    for (const std::int64_t row : rng.distinct(std::ssize(lexicon.pairs), rng.between(5, 9))) {
      const std::int64_t word = 2 * row + rng.below(2);
      words.push_back(is_held_out(word) ? word ^ 1 : word);
    }
    std::int64_t& last = words.back();
    if (new_key) last = is_held_out(last ^ 1) ? last ^ 1 : last;
    if (is_held_out(last) != new_key) continue;
    const std::string antonym = " " + lexicon.antonym(last), translation = " " + lexicon.german(last);
    out.push_back({name,
                   word_list(lexicon, task, words, /*open=*/true),
                   {german ? translation : antonym},
                   {german ? antonym : translation}});
  }
  return out;
}

std::vector<TaskPrompt> sentiment_prompts(const Lexicon& lexicon, std::int64_t count, Rng& rng) {
  std::vector<TaskPrompt> out;
  while (std::ssize(out) < count) {
    const std::size_t side = static_cast<std::size_t>(rng.below(2));
    const Lexicon::Sentiment &words = lexicon.sentiment[side], &others = lexicon.sentiment[1 - side];
    const std::int64_t adjective = rng.below(std::ssize(words.adjectives)),
                       t = rng.below(std::ssize(lexicon.sentiment_templates));
    if (!held_out::sentiment(adjective, t)) continue;
    TaskPrompt made{
        "sentiment",
        fill(before_answer(lexicon.sentiment_templates[t], "Z"),
             {{'N', rng.pick(lexicon.items)}, {'J', words.adjectives[adjective]}, {'V', rng.pick(words.verbs)}}),
        {},
        {}};
    for (const std::string& answer : words.answers) made.answers.push_back(" " + answer);
    for (const std::string& foil : others.answers) made.foils.push_back(" " + foil);
    out.push_back(std::move(made));
  }
  return out;
}

}  // namespace training
