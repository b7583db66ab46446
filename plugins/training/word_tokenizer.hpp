// A byte-level BPE tokenizer in which every word it was made for is a single token.
//
// Ids: 0 <|endoftext|> (begins and ends a document), 1..256 the byte symbols in GPT-2's order, then one per merge.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "merges.hpp"

namespace training {

class WordTokenizer {
 public:
  // `word_counts`: pre-tokens (with their leading space) and how often they occur.
  explicit WordTokenizer(const std::map<std::string, std::int64_t>& word_counts);

  static constexpr std::int32_t kDocumentEnd = 0;

  std::int64_t size() const;
  std::vector<std::int32_t> encode(std::string_view text) const;  // ASCII; words it was not made for come out in pieces
  std::int32_t word(std::string_view pre_token) const;  // the id of a pre-token; diopter::Error when it has several
  std::string bytes(std::int32_t id) const;             // what a token stands for; "<|endoftext|>" for 0
  // tokenizer.json: what Hugging Face's tokenizers and diopter read. Encodes as encode() does.
  std::string json() const;

 private:
  std::int32_t id(Symbol symbol) const;

  Merges merges_;
  std::unordered_map<std::string, std::int32_t> words_;  // pre-token -> id, of those that are one
};

}  // namespace training
