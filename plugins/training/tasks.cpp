#include "tasks.hpp"

#include <iterator>
#include <utility>

namespace training {
namespace {

constexpr std::uint64_t kTaskStreams = std::uint64_t{1} << 33;  // apart from those of documents

std::vector<std::int32_t> ids_of(const Words& words, const WordTokenizer& tokenizer) {
  std::vector<std::int32_t> out;
  for (const std::string& word : words) out.push_back(tokenizer.word(word));
  return out;
}

void add_induction(const WordTokenizer& tokenizer, Rng& rng, std::vector<TaskRow>& out) {
  constexpr std::int64_t kSequences = 64, kBlock = 25;
  for (std::int64_t s = 0; s < kSequences; ++s) {
    std::vector<std::int32_t> ids{WordTokenizer::kDocumentEnd};
    for (std::int64_t i = 0; i < kBlock; ++i)
      ids.push_back(static_cast<std::int32_t>(rng.between(1, tokenizer.size() - 1)));
    for (std::int64_t i = 1; i < kBlock; ++i) {  // the first id of the copy cannot be known
      ids.push_back(ids[static_cast<std::size_t>(i)]);
      const std::int32_t next = ids[static_cast<std::size_t>(i + 1)];
      const std::int32_t other = ids[static_cast<std::size_t>(i > 1 ? i - 1 : kBlock)];
      out.push_back({"induction", "", ids, {next}, {other == next ? 1 : other}});
    }
  }
}

}  // namespace

std::vector<TaskPrompt> all_task_prompts(const Lexicon& lexicon, std::uint64_t seed) {
  Rng rng(seed, kTaskStreams);
  std::vector<TaskPrompt> out;
  const auto add = [&out](std::vector<TaskPrompt> more) {
    std::move(more.begin(), more.end(), std::back_inserter(out));
  };
  add(ioi_prompts(lexicon, 500, rng));
  add(fact_prompts(lexicon));
  add(pronoun_prompts(lexicon, rng));
  add(agreement_prompts(lexicon, 500, rng));
  add(tense_prompts(lexicon));
  for (const bool german : {false, true}) add(list_prompts(lexicon, german, false, 500, rng));
  for (const bool german : {false, true}) add(list_prompts(lexicon, german, true, 150, rng));
  add(sentiment_prompts(lexicon, 300, rng));
  return out;
}

std::vector<TaskRow> task_rows(const Lexicon& lexicon, const WordTokenizer& tokenizer, std::uint64_t seed) {
  std::vector<TaskRow> out;
  for (const TaskPrompt& prompt : all_task_prompts(lexicon, seed)) {
    TaskRow row{prompt.task,
                prompt.prompt,
                {WordTokenizer::kDocumentEnd},
                ids_of(prompt.answers, tokenizer),
                ids_of(prompt.foils, tokenizer)};
    for (const std::int32_t id : tokenizer.encode(prompt.prompt)) row.ids.push_back(id);
    out.push_back(std::move(row));
  }
  Rng rng(seed, kTaskStreams + 1);
  add_induction(tokenizer, rng, out);
  return out;
}

}  // namespace training
