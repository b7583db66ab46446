// Tokens cut out of the text before byte-pair encoding: special ones and those added to a trained vocabulary.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/regex.hpp"

namespace diopter::text {

struct AddedToken {
  std::int64_t id = 0;
  std::string content;
  bool single_word = false;  // only between non-word characters
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space after it
  bool normalized = false;   // looked for in a second pass, in what the first one left
  bool special = false;
};

// A piece of text that is one added token (id >= 0) or is left to the pre-tokeniser (id < 0). A token that stripped
// white space before another that begins with it may overlap that one, as in tokenizers.
struct Section {
  std::int64_t id = -1;
  Span span;
};

// Leftmost-longest search, in two passes, as tokenizers' AddedVocabulary. Immutable. [any thread]
class AddedTokenSplitter {
 public:
  explicit AddedTokenSplitter(const std::vector<AddedToken>& tokens);  // contents not empty, distinct
  std::vector<Section> split(std::string_view text) const;

 private:
  struct Pass {
    std::vector<AddedToken> by_length;  // longest first
    std::bitset<256> first_bytes;
  };
  static const AddedToken* match_at(const Pass& pass, std::string_view text, std::size_t at);
  static void split(const Pass& pass, std::string_view text, std::size_t offset, std::vector<Section>& out);

  Pass exact_, normalized_;
};

}  // namespace diopter::text
