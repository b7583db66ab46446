#include "text/token_trie.hpp"

namespace diopter::text {

TokenTrie::TokenTrie() : ids_(1, kNone), slots_(1 << 10) {}

void TokenTrie::add(std::string_view token, std::uint32_t id) {
  std::uint32_t node = 0;
  for (const char c : token) {
    if (2 * ids_.size() >= slots_.size()) grow();
    const std::uint64_t edge = static_cast<std::uint64_t>(node) << 8 | static_cast<unsigned char>(c);
    Slot& slot = slots_[place(edge)];
    if (slot.edge == kFree) {
      slot = {edge, static_cast<std::uint32_t>(ids_.size())};
      ids_.push_back(kNone);
    }
    node = slot.child;
  }
  if (node != 0) ids_[node] = id;
}

std::optional<std::uint32_t> TokenTrie::find(std::string_view token) const {
  std::uint32_t node = 0;
  for (const char c : token) {
    node = child(node, static_cast<unsigned char>(c));
    if (node == 0) return std::nullopt;
  }
  return ids_[node] == kNone ? std::nullopt : std::optional(ids_[node]);
}

void TokenTrie::grow() {
  std::vector<Slot> old(2 * slots_.size());
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.edge != kFree) slots_[place(slot.edge)] = slot;
  }
}

}  // namespace diopter::text
