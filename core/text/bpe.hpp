// Byte-pair encoding of one word: the merges of a vocabulary, applied by rank.
#pragma once

#include <array>
#include <cstdint>
#include <queue>
#include <string_view>
#include <vector>

namespace diopter::text {

struct Merge {
  std::uint32_t left = 0, right = 0, result = 0;  // ids; its rank is its place in the list
  bool operator==(const Merge&) const = default;
};

// Immutable. [any thread] with a workspace per thread.
class Bpe {
 public:
  // `byte_ids`: the id of each single byte, kMissing where the vocabulary has none.
  // A pair that occurs twice has the rank of its last occurrence, as in tokenizers.
  Bpe(const std::array<std::uint32_t, 256>& byte_ids, const std::vector<Merge>& merges);

  static constexpr std::uint32_t kMissing = 0xffffffff;

  class Workspace;
  // Appends the ids of `word` to `out`. Every byte of it must have an id (missing_byte() tells).
  // The order of merges, including tokenizers' treatment of one token reached through different pairs, is that of
  // Word::merge_all in the tokenizers library: lowest rank first, then leftmost.
  void encode(std::string_view word, Workspace& workspace, std::vector<std::uint32_t>& out) const;

  // Offset of the first byte of `word` that has no id, or npos.
  std::size_t missing_byte(std::string_view word) const;

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

  std::array<std::uint32_t, 256> byte_ids_;
  bool all_bytes_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
};

class Bpe::Workspace {
  friend class Bpe;
  struct Symbol {
    std::uint32_t id;
    std::int32_t previous, next;  // -1 at the ends
    bool merged_away;
  };
  struct Candidate {
    std::uint32_t rank, at, result;
    bool operator<(const Candidate& other) const {  // the queue's top is its greatest: lowest rank, then leftmost
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace diopter::text
