// A tokenizer.json of a few hundred tokens, for tests that need no trained one.
#pragma once

#include <string>

#include "base/canonical_json.hpp"
#include "text/byte_alphabet.hpp"
#include "text/tokenizer_writer.hpp"

namespace diopter::text {

// Ids: 0 <|endoftext|>, 1..256 the bytes in symbol order ('!' is 1), 257 "he", 258 "ll", 259 "hell", 260 " t",
// 261 " the", 262 "\xC3\xA9" (é).
inline ByteLevelVocabulary small_vocabulary() {
  ByteLevelVocabulary out;
  out.special = {"<|endoftext|>"};
  for (const unsigned char byte : bytes_in_symbol_order()) out.tokens.emplace_back(1, static_cast<char>(byte));
  for (const char* token : {"he", "ll", "hell", " t", " the", "\xC3\xA9"}) out.tokens.emplace_back(token);
  out.merges = {{"h", "e"}, {"l", "l"}, {"he", "ll"}, {" ", "t"}, {" t", "he"}, {"\xC3", "\xA9"}};
  return out;
}

inline base::Json small_document() { return base::Json::parse(tokenizer_json(small_vocabulary())); }

inline base::Json added_token(std::int64_t id, const std::string& content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

}  // namespace diopter::text
