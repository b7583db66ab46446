#include "text/bpe.hpp"

#include <algorithm>
#include <bit>

namespace diopter::text {

Bpe::Bpe(const std::vector<Merge>& merges) : slots_(std::bit_ceil(2 * merges.size() + 2)) {
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::uint64_t pair = key(merges[rank].left, merges[rank].right);
    std::size_t at = home(pair);
    while (slots_[at].pair != kFree && slots_[at].pair != pair) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {pair, static_cast<std::uint32_t>(rank), merges[rank].result};
  }
}

std::size_t Bpe::home(std::uint64_t pair) const {
  pair *= 0x9e3779b97f4a7c15u;  // Fibonacci hashing: the high bits are the mixed ones
  return static_cast<std::size_t>(pair >> 32) & (slots_.size() - 1);
}

const Bpe::Slot* Bpe::find(std::uint32_t left, std::uint32_t right) const {
  const std::uint64_t pair = key(left, right);
  for (std::size_t at = home(pair);; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].pair == pair) return &slots_[at];
    if (slots_[at].pair == kFree) return nullptr;
  }
}

void Bpe::merge(Workspace& workspace, std::vector<Token>& out) const {
  auto& symbols = workspace.symbols_;
  auto& heap = workspace.heap_;
  if (symbols.empty()) return;
  symbols.back().next = -1;
  heap.clear();
  const auto candidate = [&](std::int32_t at) -> bool {
    if (at < 0 || symbols[static_cast<std::size_t>(at)].next < 0) return false;
    const auto& left = symbols[static_cast<std::size_t>(at)];
    const Slot* merge = find(left.id, symbols[static_cast<std::size_t>(left.next)].id);
    if (merge) heap.push_back({merge->rank, static_cast<std::uint32_t>(at), merge->result});
    return merge != nullptr;
  };
  for (std::int32_t i = 0; i + 1 < static_cast<std::int32_t>(symbols.size()); ++i) candidate(i);
  std::make_heap(heap.begin(), heap.end());

  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const auto top = heap.back();
    heap.pop_back();
    auto& left = symbols[top.at];
    if (left.merged_away || left.next < 0) continue;
    auto& right = symbols[static_cast<std::size_t>(left.next)];
    const Slot* merge = find(left.id, right.id);
    if (!merge || merge->result != top.result) continue;  // an entry of before an earlier merge
    left.id = top.result;
    left.size += right.size;
    left.next = right.next;
    right.merged_away = true;
    if (right.next >= 0) symbols[static_cast<std::size_t>(right.next)].previous = static_cast<std::int32_t>(top.at);
    if (candidate(left.previous)) std::push_heap(heap.begin(), heap.end());
    if (candidate(static_cast<std::int32_t>(top.at))) std::push_heap(heap.begin(), heap.end());
  }
  std::uint32_t at = 0;
  for (const auto& symbol : symbols) {
    if (symbol.merged_away) continue;
    out.push_back({symbol.id, at, at + symbol.size});
    at += symbol.size;
  }
  symbols.clear();
}

}  // namespace diopter::text
