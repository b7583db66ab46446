// Byte-pair encoding as a model of words: which symbols a word starts from, then merges.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/bpe.hpp"

namespace diopter::text {

// What a file says of such a model.
struct BpeFile {
  std::unordered_map<std::string, std::uint32_t> vocab;  // tokens as written
  std::vector<Merge> merges;
  std::optional<std::string> unknown_token;  // in the vocabulary
  bool ignore_merges = false;                // a whole word that is in the vocabulary is taken as it is
  bool fuse_unknown = false;                 // neighbouring unknown characters are one token
  bool byte_fallback = false;                // an unknown character is spelled in tokens <0x00> to <0xFF>
};

// The id of each byte's token "<0x0A>", kNoToken where the vocabulary has none.
using ByteTokens = std::array<std::uint32_t, 256>;
constexpr std::uint32_t kNoToken = 0xffffffff;
ByteTokens byte_tokens(const std::unordered_map<std::string, std::uint32_t>& vocab);

class BpeModel : public WordModel {
 public:
  // Words come as raw bytes (the vocabulary is written in symbols, byte_alphabet.hpp), or as characters.
  enum class Alphabet { Bytes, Characters };
  BpeModel(const BpeFile& file, Alphabet alphabet);

  std::unique_ptr<WordModel::Workspace> workspace() const override;
  std::optional<Span> encode(std::string_view word, WordModel::Workspace& workspace,
                             std::vector<Token>& out) const override;
  std::string_view always_begins() const override { return always_begins_; }

 private:
  struct Workspace;
  std::optional<Span> add_bytes(std::string_view word, Workspace& workspace) const;
  std::optional<Span> add_characters(std::string_view word, Workspace& workspace) const;
  bool spell(std::string_view character, Workspace& workspace) const;

  Alphabet alphabet_;
  Bpe bpe_;
  std::array<std::uint32_t, 256> first_;                // ids of bytes, or of ASCII characters
  std::unordered_map<char32_t, std::uint32_t> others_;  // ids of the other characters
  std::optional<ByteTokens> spelling_;                  // with byte_fallback
  std::uint32_t unknown_ = kNoToken;
  bool fuse_unknown_;
  std::unordered_map<std::string, std::uint32_t> whole_words_;  // with ignore_merges
  std::string always_begins_;
};

}  // namespace diopter::text
