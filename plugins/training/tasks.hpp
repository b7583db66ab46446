// Prompts for testing: combinations that no training document has, in natural style.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lexicon.hpp"
#include "rng.hpp"
#include "word_tokenizer.hpp"

namespace training {

// The answer is the token after the prompt. A prompt is right when the arg-max over the whole vocabulary is one of
// `answers`.
struct TaskPrompt {
  std::string task, prompt;
  Words answers, foils;  // single tokens with their leading space; foils: what a model without the skill would say
};

std::vector<TaskPrompt> ioi_prompts(const Lexicon& lexicon, std::int64_t count, Rng& rng);
std::vector<TaskPrompt> fact_prompts(const Lexicon& lexicon);               // all held-out landmarks, capitals, prizes
std::vector<TaskPrompt> pronoun_prompts(const Lexicon& lexicon, Rng& rng);  // all held-out roles
std::vector<TaskPrompt> agreement_prompts(const Lexicon& lexicon, std::int64_t count,
                                          Rng& rng);            // attractor of the other number
std::vector<TaskPrompt> tense_prompts(const Lexicon& lexicon);  // all held-out past and future ones
// New lists; the last word is one that is never a key of the task's lists (`new_key`), or one that is.
std::vector<TaskPrompt> list_prompts(const Lexicon& lexicon, bool german, bool new_key, std::int64_t count, Rng& rng);
std::vector<TaskPrompt> sentiment_prompts(const Lexicon& lexicon, std::int64_t count, Rng& rng);
std::vector<TaskPrompt> all_task_prompts(const Lexicon& lexicon, std::uint64_t seed);  // every one of the above

// What a model is tested on, as ids.
struct TaskRow {
  std::string task, text;
  std::vector<std::int32_t> ids, answers, foils;
};
// all_task_prompts and induction: the second half of random blocks of 25 ids, met twice (one row for each of its last
// 24 ids).
std::vector<TaskRow> task_rows(const Lexicon& lexicon, const WordTokenizer& tokenizer, std::uint64_t seed);

}  // namespace training
