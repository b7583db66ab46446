// Byte-pair encoding: the merges of a vocabulary, applied by rank to the first symbols of a word.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/word_model.hpp"

namespace diopter::text {

struct Merge {
  std::uint32_t left = 0, right = 0, result = 0;  // ids; its rank is its place in the list
  bool operator==(const Merge&) const = default;
};

// Immutable. [any thread] with a workspace per thread.
class Bpe {
 public:
  // A pair that occurs twice has the rank of its last occurrence, as in tokenizers.
  explicit Bpe(const std::vector<Merge>& merges);

  class Workspace;
  // Merges what was added to the workspace, appends the tokens to `out` and empties it.
  // The order of merges, including tokenizers' treatment of one token reached through different pairs, is that of
  // Word::merge_all in the tokenizers library: lowest rank first, then leftmost.
  void merge(Workspace& workspace, std::vector<Token>& out) const;

 private:
  struct Slot {
    std::uint64_t pair = kFree;
    std::uint32_t rank = 0, result = 0;
  };
  static constexpr std::uint64_t kFree = 0xffffffffffffffff;
  static std::uint64_t key(std::uint32_t left, std::uint32_t right) {
    return (static_cast<std::uint64_t>(left) << 32) | right;
  }
  const Slot* find(std::uint32_t left, std::uint32_t right) const;
  std::size_t home(std::uint64_t pair) const;

  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
};

class Bpe::Workspace {
 public:
  void add(std::uint32_t id, std::size_t size) {
    const auto at = static_cast<std::int32_t>(symbols_.size());
    symbols_.push_back({id, static_cast<std::uint32_t>(size), at - 1, at + 1, false});
  }
  void clear() { symbols_.clear(); }

 private:
  friend class Bpe;
  struct Symbol {
    std::uint32_t id, size;       // size: bytes of the word
    std::int32_t previous, next;  // -1 at the ends
    bool merged_away;
  };
  struct Candidate {
    std::uint32_t rank, at, result;
    bool operator<(const Candidate& other) const {  // a heap's top is its greatest: lowest rank, then leftmost
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  std::vector<Symbol> symbols_;
  std::vector<Candidate> heap_;
};

}  // namespace diopter::text
