// Token id -> how the vocabulary writes it, and the bytes it stands for.
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
  // Whether decoding without special tokens leaves it out. The library compares what is written, so a special token
  // that the normaliser changes stays.
  bool is_skipped(std::int64_t id) const { return has(id) && entries_[static_cast<std::size_t>(id)].skipped; }
  // has(id)
  std::string_view bytes(std::int64_t id) const { return entry(id).bytes; }
  std::string_view written(std::int64_t id) const { return entry(id).written; }  // an added token: as it is looked for

 private:
  struct Entry {
    std::string written, bytes;
    bool known = false, special = false, skipped = false;
  };
  const Entry& entry(std::int64_t id) const { return entries_[static_cast<std::size_t>(id)]; }
  Entry& add(std::int64_t id);

  std::vector<Entry> entries_;
};

}  // namespace diopter::text
