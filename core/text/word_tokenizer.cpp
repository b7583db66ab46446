#include "text/word_tokenizer.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "text/bpe.hpp"
#include "text/byte_alphabet.hpp"
#include "text/tokenizer.hpp"
#include "text/tokenizer_writer.hpp"
#include "text/unicode.hpp"

namespace diopter::text {
namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;

// Byte-pair training on a list of distinct words, each counted once, until every word is one token. The words'
// segmentation is always what the encoder itself makes of them.
class Trainer {
 public:
  explicit Trainer(std::vector<std::string> words) : words_(std::move(words)), parts_(words_.size()) {
    for (const unsigned char byte : bytes_in_symbol_order()) {
      byte_ids_[byte] = static_cast<std::uint32_t>(tokens_.size());
      tokens_.emplace_back(1, static_cast<char>(byte));
      ids_.emplace(tokens_.back(), byte_ids_[byte]);
    }
  }

  void run() {
    segment_all();
    while (!counts_.empty()) {
      const Pair pair = most_frequent();
      add(pair);
      const Bpe bpe(byte_ids_, merges_);
      for (std::size_t i = 0; i < words_.size(); ++i) {
        if (contains(parts_[i], pair)) segment(i, bpe);
      }
      if (counts_.empty()) segment_all();  // a late merge may, rarely, undo a word that did not contain it
    }
  }

  ByteLevelVocabulary vocabulary(std::string_view special) const {
    ByteLevelVocabulary out{{std::string(special)}, tokens_, {}};
    for (const Merge& merge : merges_) out.merges.emplace_back(tokens_[merge.left], tokens_[merge.right]);
    return out;
  }

 private:
  static bool contains(const std::vector<std::uint32_t>& parts, const Pair& pair) {
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (parts[i - 1] == pair.first && parts[i] == pair.second) return true;
    }
    return false;
  }

  void count(const std::vector<std::uint32_t>& parts, int sign) {
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const auto entry = counts_.try_emplace({parts[i - 1], parts[i]}, 0).first;
      entry->second += sign;
      if (entry->second == 0) counts_.erase(entry);
    }
  }

  void segment(std::size_t word, const Bpe& bpe) {
    count(parts_[word], -1);
    parts_[word].clear();
    bpe.encode(words_[word], workspace_, parts_[word]);
    count(parts_[word], +1);
  }

  void segment_all() {
    const Bpe bpe(byte_ids_, merges_);
    for (std::size_t i = 0; i < words_.size(); ++i) segment(i, bpe);
  }

  Pair most_frequent() const {
    const auto rarer = [](const auto& a, const auto& b) { return a.second < b.second; };
    return std::max_element(counts_.begin(), counts_.end(), rarer)->first;  // the first of equals
  }

  void add(const Pair& pair) {
    const std::string token = tokens_[pair.first] + tokens_[pair.second];
    const auto [entry, fresh] = ids_.try_emplace(token, static_cast<std::uint32_t>(tokens_.size()));
    if (fresh) tokens_.push_back(token);
    merges_.push_back({pair.first, pair.second, entry->second});
  }

  std::vector<std::string> words_;
  std::vector<std::vector<std::uint32_t>> parts_;  // of each word, ids into tokens_
  std::array<std::uint32_t, 256> byte_ids_{};
  std::vector<std::string> tokens_;
  std::map<std::string, std::uint32_t> ids_;
  std::vector<Merge> merges_;
  std::map<Pair, int> counts_;  // adjacent pairs over all words
  Bpe::Workspace workspace_;
};

void require_pre_token(const std::string& word, Regex::Workspace& workspace) {
  const auto fail = [&](const std::string& why) {
    throw base::UserError(base::Exit::Usage,
                          "'" + base::printable(word) + "' cannot be one token of a word tokenizer: " + why);
  };
  if (word.empty()) fail("it is empty");
  if (base::invalid_utf8_offset(word)) fail("it is not UTF-8");
  const auto match = gpt2_pattern().find(word, 0, workspace);
  if (!match || match->end != word.size()) {
    fail("the GPT-2 pattern cuts it after '" + base::printable(word.substr(0, match ? match->end : 0)) + "'");
  }
}

}  // namespace

std::string word_tokenizer(const std::vector<std::string>& words, std::string_view special) {
  std::vector<std::string> distinct = words;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  Regex::Workspace workspace;
  for (const auto& word : distinct) require_pre_token(word, workspace);

  Trainer trainer(distinct);
  trainer.run();
  std::string json = tokenizer_json(trainer.vocabulary(special));
  const Tokenizer tokenizer = Tokenizer::parse(json, "the word tokenizer");
  for (const auto& word : distinct) {
    DIOPTER_CHECK(tokenizer.single_token(word), "'" + base::printable(word) + "' did not become one token");
  }
  return json;
}

}  // namespace diopter::text
