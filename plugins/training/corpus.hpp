// The training documents: a mixture of items, written in two spellings, encoded by a tokenizer made for them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "items.hpp"
#include "lexicon.hpp"
#include "word_tokenizer.hpp"

namespace training {

inline constexpr std::size_t kLongestDocument = 97;  // ids, with the marks at both ends: 96 inputs and their targets

struct DocumentText {
  Kind kind;
  std::string text;  // empty for induction
};

// Document `index` of a seed. Each has its own stream of random numbers, so it does not depend on the others.
DocumentText document_text(const Lexicon& lexicon, std::uint64_t seed, std::int64_t index);

// Documents one after another: document d is ids[offsets[d] .. offsets[d + 1]).
struct Documents {
  std::vector<std::int32_t> ids;
  std::vector<std::uint8_t> counted;  // 1: this id is a target that training counts
  std::vector<std::int64_t> offsets{0};
  std::vector<Kind> kinds;
  std::int64_t size() const { return std::ssize(kinds); }
};

struct Corpus {
  WordTokenizer tokenizer;
  Documents documents;
};

// The single tokens with a leading space that induction documents draw from: names, places, objects, pair and German
// words...
std::vector<std::int32_t> content_words(const Lexicon& lexicon, const WordTokenizer& tokenizer);

// progress(done, total) every few thousand documents; it may throw to stop.
Corpus make_corpus(const Lexicon& lexicon, std::uint64_t seed, std::int64_t documents,
                   const std::function<void(std::int64_t, std::int64_t)>& progress = {});

}  // namespace training
