// A set of byte strings with a number each, searched by prefix.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace diopter::text {

// [any thread] once filled.
class TokenTrie {
 public:
  TokenTrie();
  void add(std::string_view token, std::uint32_t id);  // a token that is added again gets the later id
  std::optional<std::uint32_t> find(std::string_view token) const;

  // Calls each(length, id) for every token that `text` begins with, the shortest first; the empty one is never found.
  template <class Each>
  void for_each_prefix(std::string_view text, Each each) const {
    std::uint32_t node = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      node = child(node, static_cast<unsigned char>(text[at]));
      if (node == 0) return;
      if (ids_[node] != kNone) each(at + 1, ids_[node]);
    }
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Slot {
    std::uint64_t edge = kFree;  // parent and byte
    std::uint32_t child = 0;
  };
  static constexpr std::uint64_t kFree = 0xffffffffffffffff;

  std::size_t place(std::uint64_t edge) const {
    std::size_t at = static_cast<std::size_t>((edge * 0x9e3779b97f4a7c15u) >> 32) & (slots_.size() - 1);
    while (slots_[at].edge != kFree && slots_[at].edge != edge) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  std::uint32_t child(std::uint32_t node, unsigned char byte) const {  // 0: none
    return slots_[place(static_cast<std::uint64_t>(node) << 8 | byte)].child;
  }
  void grow();

  std::vector<std::uint32_t> ids_;  // by node; 0 is the root
  std::vector<Slot> slots_;         // open addressing, a power of two, at most half full
};

}  // namespace diopter::text
