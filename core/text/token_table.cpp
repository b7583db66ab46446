#include "text/token_table.hpp"

#include "text/byte_alphabet.hpp"

namespace diopter::text {

TokenTable::TokenTable(const TokenizerFile& file) {
  for (const auto& [token, id] : file.vocab) add(id, token, false);
  for (const auto& token : file.added) add(token.id, token.content, token.special);
}

void TokenTable::add(std::int64_t id, const std::string& token, bool special) {
  const auto at = static_cast<std::size_t>(id);
  if (at >= entries_.size()) entries_.resize(at + 1);
  Entry& entry = entries_[at];
  entry.special = entry.special || special;
  if (entry.known) return;  // an added token that is in the vocabulary too: the same content
  // The ByteLevel decoder: a token with any character outside the alphabet stands for its own UTF-8.
  const std::string bytes = from_symbols(token).value_or(token);
  entry.begin = static_cast<std::uint32_t>(arena_.size());
  entry.size = static_cast<std::uint32_t>(bytes.size());
  entry.known = true;
  arena_ += bytes;
}

}  // namespace diopter::text
