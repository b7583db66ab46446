#include "merges.hpp"

#include <algorithm>
#include <unordered_map>

namespace training {
namespace {

using Pair = std::pair<Symbol, Symbol>;

std::vector<Symbol> bytes_of(std::string_view word) {
  std::vector<Symbol> out;
  for (const char c : word) out.push_back(static_cast<unsigned char>(c));
  return out;
}

void merge(std::vector<Symbol>& symbols, Pair pair, Symbol made) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const bool here = i + 1 < symbols.size() && symbols[i] == pair.first && symbols[i + 1] == pair.second;
    symbols[kept++] = here ? made : symbols[i];
    if (here) ++i;
  }
  symbols.resize(kept);
}

struct CountedWord {
  std::vector<Symbol> symbols;
  std::int64_t count;
};

std::uint64_t key(Symbol left, Symbol right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint64_t>(right);
}

Pair most_frequent(const std::vector<CountedWord>& words) {
  std::unordered_map<std::uint64_t, std::int64_t> counts;
  for (const CountedWord& word : words) {
    for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i)
      counts[key(word.symbols[i], word.symbols[i + 1])] += word.count;
  }
  const auto best = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second < b.second : a.first > b.first;
  });
  return {static_cast<Symbol>(best->first >> 32), static_cast<Symbol>(best->first & 0xffffffffU)};
}

}  // namespace

std::vector<Symbol> Merges::apply(std::string_view word) const {
  std::vector<Symbol> symbols = bytes_of(word);
  for (;;) {
    auto first = made.end();
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = made.find({symbols[i], symbols[i + 1]});
      if (found != made.end() && (first == made.end() || found->second < first->second)) first = found;
    }
    if (first == made.end()) return symbols;
    merge(symbols, first->first, first->second);
  }
}

Merges learn_merges(const std::map<std::string, std::int64_t>& word_counts) {
  std::vector<CountedWord> words;
  for (const auto& [word, count] : word_counts) words.push_back({bytes_of(word), count});
  Merges out;
  for (;;) {
    std::erase_if(words, [](const CountedWord& word) { return word.symbols.size() < 2; });
    if (words.empty()) return out;
    const Pair pair = most_frequent(words);
    const Symbol made = Merges::kFirstMerge + static_cast<Symbol>(out.pairs.size());
    for (CountedWord& word : words) merge(word.symbols, pair, made);
    out.pairs.push_back(pair);
    out.made.emplace(pair, made);
  }
}

}  // namespace training
