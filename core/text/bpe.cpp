#include "text/bpe.hpp"

#include <algorithm>
#include <bit>

namespace diopter::text {

Bpe::Bpe(const std::array<std::uint32_t, 256>& byte_ids, const std::vector<Merge>& merges)
    : byte_ids_(byte_ids),
      all_bytes_(std::find(byte_ids.begin(), byte_ids.end(), kMissing) == byte_ids.end()),
      slots_(std::bit_ceil(2 * merges.size() + 2)) {
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

std::size_t Bpe::missing_byte(std::string_view word) const {
  if (all_bytes_) return std::string_view::npos;
  const auto missing = [&](char c) { return byte_ids_[static_cast<unsigned char>(c)] == kMissing; };
  const auto found = std::find_if(word.begin(), word.end(), missing);
  return found == word.end() ? std::string_view::npos : static_cast<std::size_t>(found - word.begin());
}

void Bpe::encode(std::string_view word, Workspace& workspace, std::vector<std::uint32_t>& out) const {
  auto& symbols = workspace.symbols_;
  auto& queue = workspace.queue_;
  symbols.clear();
  const auto size = static_cast<std::int32_t>(word.size());
  for (std::int32_t i = 0; i < size; ++i) {
    symbols.push_back({byte_ids_[static_cast<unsigned char>(word[static_cast<std::size_t>(i)])], i - 1,
                       i + 1 < size ? i + 1 : -1, false});
  }
  const auto consider = [&](std::int32_t at) {
    if (at < 0 || symbols[static_cast<std::size_t>(at)].next < 0) return;
    const auto& left = symbols[static_cast<std::size_t>(at)];
    if (const Slot* merge = find(left.id, symbols[static_cast<std::size_t>(left.next)].id)) {
      queue.push({merge->rank, static_cast<std::uint32_t>(at), merge->result});
    }
  };
  for (std::int32_t i = 0; i + 1 < size; ++i) consider(i);

  while (!queue.empty()) {
    const auto top = queue.top();
    queue.pop();
    auto& left = symbols[top.at];
    if (left.merged_away || left.next < 0) continue;
    auto& right = symbols[static_cast<std::size_t>(left.next)];
    const Slot* merge = find(left.id, right.id);
    if (!merge || merge->result != top.result) continue;  // an entry of before an earlier merge
    left.id = top.result;
    left.next = right.next;
    right.merged_away = true;
    if (right.next >= 0) symbols[static_cast<std::size_t>(right.next)].previous = static_cast<std::int32_t>(top.at);
    consider(left.previous);
    consider(static_cast<std::int32_t>(top.at));
  }
  for (const auto& symbol : symbols) {
    if (!symbol.merged_away) out.push_back(symbol.id);
  }
}

}  // namespace diopter::text
