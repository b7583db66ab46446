// Which combinations the training documents never have. The words themselves all occur: only their combination is new
// in a held-out prompt. Arguments are positions in the lexicon's lists.
#pragma once

#include <cstdint>

namespace training::held_out {

// An unordered pair of names in a sentence about giving; 1/8 of all pairs.
constexpr bool names(std::int64_t a, std::int64_t b) { return (a + b) % 8 == 0; }
constexpr bool scene(std::int64_t ioi_template, std::int64_t place) { return (ioi_template + place) % 9 == 0; }
constexpr std::int64_t kCityFirst = 9;  // landmark template whose last word is the landmark: nothing is held out of it
constexpr bool landmark(std::int64_t fact, std::int64_t t) { return t < kCityFirst && (fact + t) % 7 == 0; }
constexpr bool capital(std::int64_t fact, std::int64_t t) { return (fact + t) % 7 == 0; }
constexpr bool prize(std::int64_t person, std::int64_t t) { return (person + t) % 6 == 0; }
constexpr bool pronoun(std::int64_t role, std::int64_t t) { return (role + t) % 5 == 0; }
constexpr bool agreement(std::int64_t noun, std::int64_t attractor, std::int64_t preposition) {
  return (noun + 2 * attractor + preposition) % 7 == 0;
}
constexpr bool tense(std::int64_t adverb, std::int64_t subject) { return (adverb + subject) % 6 == 0; }
// Word-pair words that are never keys of a list of that task (they may be answers, and occur in relation sentences).
constexpr bool antonym_key(std::int64_t word) { return word % 10 == 3; }
constexpr bool german_key(std::int64_t word) { return word % 10 == 8; }
constexpr std::int64_t kVerbOnly = 7;  // sentiment template without an adjective
constexpr bool sentiment(std::int64_t adjective, std::int64_t t) { return t < kVerbOnly && (adjective + t) % 5 == 0; }

}  // namespace training::held_out
