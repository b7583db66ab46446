// The key "decoder" of tokenizer.json: how tokens become text again.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/json_field.hpp"
#include "text/normaliser.hpp"
#include "text/pre_tokeniser.hpp"

namespace diopter::text {

struct DecodeBytes {};     // ByteLevel: symbols become bytes
struct DecodeSpelling {};  // ByteFallback: runs of <0x0A> become characters
struct Fuse {};            // all tokens become one
struct StripCharacter {    // at the two ends of each token, at most so many
  char32_t content = U' ';
  std::size_t start = 0, stop = 0;
};
using DecoderStep = std::variant<DecodeBytes, DecodeSpelling, Fuse, StripCharacter, Replace, MarkSpaces>;

// Immutable. [any thread]
class Decoder {
 public:
  Decoder() = default;  // null: tokens with a space between them
  explicit Decoder(std::vector<DecoderStep> steps);

  // Whether it is ByteLevel alone: then the text is the bytes of all tokens with ill-formed parts replaced.
  bool joins_bytes() const { return joins_bytes_; }
  // Tokens as the vocabulary writes them -> text.
  std::string text(std::vector<std::string> tokens) const;
  // The bytes that one token stands for: the steps that act on single tokens, without those that look at the whole.
  std::string bytes(const std::string& token) const;

 private:
  std::vector<DecoderStep> steps_;
  bool present_ = false, joins_bytes_ = false;
};

// Supported: null, ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace and Sequences of them. Others are a
// UserError(Refused).
Decoder read_decoder(const Field& root);

}  // namespace diopter::text
