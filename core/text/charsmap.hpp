// SentencePiece's precompiled normalisation rules: a double-array trie of byte sequences and what each becomes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/aligned_text.hpp"

namespace diopter::text {

// Immutable. [any thread]
class Charsmap {
 public:
  // The blob as tokenizer.model holds it: the size of the trie in bytes (little-endian, 32 bits), the trie's units
  // (32 bits each), then replacements ended by NUL. Nothing when it is not that; every read of the trie is checked.
  static std::optional<Charsmap> parse(std::string_view blob);

  // Rewrites as the tokenizers library does, which is not quite as SentencePiece: a grapheme of at most five bytes is
  // replaced whole when a prefix of it has a rule, any other one character by character.
  void apply(AlignedText& text) const;

  // What the shortest prefix of `key` that has a rule becomes.
  std::optional<std::string_view> replacement(std::string_view key) const;

 private:
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

// Standard base64 with padding, as tokenizer.json has the blob; nothing when it is ill-formed.
std::optional<std::string> from_base64(std::string_view text);
std::string to_base64(std::string_view bytes);

}  // namespace diopter::text
