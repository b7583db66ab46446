// Token id -> the bytes it decodes to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer_file.hpp"

namespace diopter::text {

// Immutable. [any thread]
class TokenTable {
 public:
  explicit TokenTable(const TokenizerFile& file);

  std::size_t size() const { return entries_.size(); }  // largest id + 1
  bool has(std::int64_t id) const {
    return id >= 0 && static_cast<std::size_t>(id) < entries_.size() && entries_[static_cast<std::size_t>(id)].known;
  }
  bool is_special(std::int64_t id) const { return has(id) && entries_[static_cast<std::size_t>(id)].special; }
  std::string_view bytes(std::int64_t id) const {  // has(id)
    const Entry& entry = entries_[static_cast<std::size_t>(id)];
    return std::string_view(arena_).substr(entry.begin, entry.size);
  }

 private:
  struct Entry {
    std::uint32_t begin = 0, size = 0;
    bool known = false, special = false;
  };
  void add(std::int64_t id, const std::string& token, bool special);

  std::vector<Entry> entries_;
  std::string arena_;
};

}  // namespace diopter::text
