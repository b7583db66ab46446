// Writes a tokenizer.json that this room, tokenizers and transformers read alike.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace diopter::text {

// A byte-level vocabulary in bytes, not symbols. Ids: special tokens first, from 0, then `tokens` in order.
struct ByteLevelVocabulary {
  std::vector<std::string> special;
  std::vector<std::string> tokens;                          // distinct; every single byte must be among them
  std::vector<std::pair<std::string, std::string>> merges;  // by rank; both halves and their union are tokens
};

// GPT-2's pre-tokeniser and decoder, no prefix space, no normaliser, no post-processor. The result is read back by
// Tokenizer::parse; what that refuses is a bug of the caller.
std::string tokenizer_json(const ByteLevelVocabulary& vocabulary);

}  // namespace diopter::text
