// What turns one word into tokens: byte-pair encoding or Unigram.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "text/regex.hpp"

namespace diopter::text {

// An id and the bytes of the word it stands for. Tokens that spell one unknown character byte by byte may all have the
// whole character.
struct Token {
  std::uint32_t id = 0, begin = 0, end = 0;
  bool operator==(const Token&) const = default;
};

// Immutable. [any thread] with a workspace per thread.
class WordModel {
 public:
  class Workspace {
   public:
    virtual ~Workspace() = default;
  };
  virtual ~WordModel() = default;
  virtual std::unique_ptr<Workspace> workspace() const = 0;

  // Appends the tokens of `word`, valid UTF-8 that is not empty. Returns the first part of it that has no token in the
  // vocabulary, not even one for unknown characters; `out` is then of no use.
  virtual std::optional<Span> encode(std::string_view word, Workspace& workspace, std::vector<Token>& out) const = 0;

  // A text that begins a new token wherever it stands after something else than itself: cutting there never changes the
  // tokens. Empty when there is none. Cutting makes words that recur, which can be remembered.
  virtual std::string_view always_begins() const { return {}; }
};

}  // namespace diopter::text
