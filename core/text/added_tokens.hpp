// Tokens cut out of the text before byte-pair encoding: special ones and those added to a trained vocabulary.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/regex.hpp"
#include "text/token_trie.hpp"

namespace diopter::text {

struct AddedToken {
  std::int64_t id = 0;
  std::string content;
  bool single_word = false;  // only between non-word characters
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space after it
  bool normalized = false;   // looked for, in its normalised form, in what the first pass left and the normaliser made
  bool special = false;
};

// A piece of text that is one added token (id >= 0) or is left to the pre-tokeniser (id < 0). A token that stripped
// white space before another that begins with it may overlap that one, as in tokenizers.
struct Section {
  std::int64_t id = -1;
  Span span;
};

// Leftmost-longest search, as tokenizers' AddedVocabulary. Immutable. [any thread]
class AddedTokenSplitter {
 public:
  AddedTokenSplitter() = default;
  // Looks for `tokens` with normalized == the given value, in the form `form` gives. Forms are not empty, and distinct.
  template <class Form>
  AddedTokenSplitter(const std::vector<AddedToken>& tokens, bool normalized, Form form) {
    for (const auto& token : tokens) {
      if (token.normalized == normalized) add(token, form(token.content));
    }
  }
  bool empty() const { return tokens_.empty(); }
  // Appends the sections of `text`; an empty text has none.
  void split(std::string_view text, std::vector<Section>& out) const;

 private:
  void add(const AddedToken& token, std::string_view form);
  const AddedToken* match_at(std::string_view text, std::size_t at) const;  // the longest

  std::vector<AddedToken> tokens_;
  TokenTrie forms_;  // of places in tokens_
  std::bitset<256> first_bytes_;
};

}  // namespace diopter::text
