#include "holdouts.hpp"
#include "sentences.hpp"
#include "tasks.hpp"

namespace training {
namespace {

std::string prompt_of(std::string_view pattern, std::string_view letters, std::initializer_list<Slot> slots) {
  return capitalised(fill(before_answer(pattern, letters), slots));
}

// The letter of the slot that ends the prompt.
char answer_letter(std::string_view pattern, std::string_view letters) {
  const std::string_view rest = pattern.substr(before_answer(pattern, letters).size());
  return rest[rest.find('{') + 1];
}

// The same slot of the next fact that has another answer there.
template <class Facts, class Get>
std::string other_answer(const Facts& facts, std::size_t fact, Get get) {
  for (std::size_t step = 1;; ++step) {
    const auto& other = facts[(fact + step) % facts.size()];
    if (get(other) != get(facts[fact])) return " " + get(other);
  }
}

template <class Facts, class Get>
TaskPrompt fact_prompt(const char* task, std::string prompt, const Facts& facts, std::size_t fact, Get get) {
  return {task, std::move(prompt), {" " + get(facts[fact])}, {other_answer(facts, fact, get)}};
}

void add_landmarks(const Lexicon& lexicon, std::vector<TaskPrompt>& out) {
  for (std::size_t f = 0; f < lexicon.landmarks.size(); ++f) {
    for (std::size_t t = 0; t < lexicon.landmark_templates.size(); ++t) {
      if (!held_out::landmark(static_cast<std::int64_t>(f), static_cast<std::int64_t>(t))) continue;
      const std::string& pattern = lexicon.landmark_templates[t];
      const bool city = answer_letter(pattern, "CK") == 'C';
      out.push_back(fact_prompt("landmark", prompt_of(pattern, "CK", {{'X', lexicon.landmarks[f].landmark}}),
                                lexicon.landmarks, f,
                                [city](const Lexicon::Landmark& l) { return city ? l.city : l.country; }));
    }
  }
}

void add_capitals(const Lexicon& lexicon, std::vector<TaskPrompt>& out) {
  for (std::size_t f = 0; f < lexicon.capitals.size(); ++f) {
    for (std::size_t t = 0; t < lexicon.capital_templates.size(); ++t) {
      if (!held_out::capital(static_cast<std::int64_t>(f), static_cast<std::int64_t>(t))) continue;
      const std::string& pattern = lexicon.capital_templates[t];
      const Lexicon::Capital& fact = lexicon.capitals[f];
      const char answer = answer_letter(pattern, "KCG");
      out.push_back(fact_prompt("capital", prompt_of(pattern, "KCG", {{'K', fact.country}, {'C', fact.capital}}),
                                lexicon.capitals, f, [answer](const Lexicon::Capital& c) {
                                  return answer == 'K' ? c.country : answer == 'C' ? c.capital : c.language;
                                }));
    }
  }
}

void add_prizes(const Lexicon& lexicon, std::vector<TaskPrompt>& out) {
  for (std::size_t f = 0; f < lexicon.prizes.size(); ++f) {
    for (std::size_t t = 0; t < lexicon.prize_templates.size(); ++t) {
      const std::string& pattern = lexicon.prize_templates[t];
      const bool field_last = answer_letter(pattern, "XF") == 'F';  // else the answer is a person, of two tokens
      if (!field_last || !held_out::prize(static_cast<std::int64_t>(f), static_cast<std::int64_t>(t))) continue;
      out.push_back(fact_prompt("prize", prompt_of(pattern, "F", {{'X', lexicon.prizes[f].person}}), lexicon.prizes, f,
                                [](const Lexicon::Prize& p) { return p.field; }));
    }
  }
}

}  // namespace

std::vector<TaskPrompt> fact_prompts(const Lexicon& lexicon) {
  std::vector<TaskPrompt> out;
  add_landmarks(lexicon, out);
  add_capitals(lexicon, out);
  add_prizes(lexicon, out);
  return out;
}

}  // namespace training
