// tokenizer.json read into plain values, or refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/added_tokens.hpp"
#include "text/bpe.hpp"
#include "text/post_processor.hpp"

namespace diopter::text {

struct TokenizerFile {
  std::unordered_map<std::string, std::uint32_t> vocab;  // tokens as written, in symbols (byte_alphabet.hpp)
  std::vector<Merge> merges;
  bool ignore_merges = false;     // a whole word that is in the vocabulary is taken as it is
  bool add_prefix_space = false;  // before each piece of text between added tokens that has none
  bool use_regex = true;          // false: such a piece is one word
  std::vector<AddedToken> added;
  PostProcessor post_processor;
};

// Supported: version 1.0; model BPE without dropout, affixes and byte_fallback; pre-tokeniser and decoder ByteLevel; no
// normaliser; post-processors of post_processor.hpp. What is not, and any key not known here, is a UserError(Refused)
// that names key and value. `truncation` and `padding` are not applied, as transformers does not apply them.
// Ids must be distinct, and an added token must have the id that the tokenizers library would give it.
TokenizerFile read_tokenizer_file(std::string_view json, const std::string& origin);

}  // namespace diopter::text
