// Byte-pair merges learned until every given word is one symbol.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace training {

using Symbol = std::int32_t;

struct Merges {
  static constexpr Symbol kFirstMerge = 256;         // symbols below it are bytes
  std::vector<std::pair<Symbol, Symbol>> pairs;      // pairs[i] makes symbol kFirstMerge + i
  std::map<std::pair<Symbol, Symbol>, Symbol> made;  // the same, by pair

  // The pair that was learned first is merged first, everywhere in the word; what byte-level BPE encoders do.
  std::vector<Symbol> apply(std::string_view word) const;
};

// Greedy, as byte-pair encoding is trained: the most frequent pair first; among equals the smaller pair of symbols.
Merges learn_merges(const std::map<std::string, std::int64_t>& word_counts);

}  // namespace training
