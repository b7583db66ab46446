// Unigram: the cut of a word into tokens whose scores have the largest sum.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/bpe_model.hpp"
#include "text/token_trie.hpp"

namespace diopter::text {

// What a file says of such a model. Ids are places in the list.
struct UnigramFile {
  std::vector<std::pair<std::string, double>> vocab;  // token as written, score
  std::optional<std::uint32_t> unknown;
  bool byte_fallback = false;  // unknown characters are spelled in tokens <0x00> to <0xFF>
};

class UnigramModel : public WordModel {
 public:
  explicit UnigramModel(const UnigramFile& file);

  std::unique_ptr<WordModel::Workspace> workspace() const override;
  // The search of SentencePiece's unigram_model.cc (EncodeOptimized), with doubles as in tokenizers: of equal sums the
  // one found first wins, which is the one whose last token is longest. Neighbouring unknown characters are one token.
  std::optional<Span> encode(std::string_view word, WordModel::Workspace& workspace,
                             std::vector<Token>& out) const override;

 private:
  struct Workspace;
  std::optional<Span> search(std::string_view word, Workspace& workspace) const;
  void add_unknown(std::string_view part, std::uint32_t begin, std::vector<Token>& out) const;

  TokenTrie trie_;
  std::vector<double> scores_;
  std::optional<std::uint32_t> unknown_;
  double unknown_score_;
  std::optional<ByteTokens> spelling_;
};

}  // namespace diopter::text
