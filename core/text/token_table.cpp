#include "text/token_table.hpp"

namespace diopter::text {

TokenTable::TokenTable(const TokenizerFile& file) {
  const auto fill = [&](std::int64_t id, const std::string& token) -> Entry& {
    Entry& entry = add(id);
    entry.written = token;
    entry.bytes = file.decoder.bytes(token);
    return entry;
  };
  for (const auto& [token, id] : file.bpe.vocab) fill(id, token);
  for (std::size_t id = 0; id < file.unigram.vocab.size(); ++id) {
    fill(static_cast<std::int64_t>(id), file.unigram.vocab[id].first);
  }
  for (const auto& token : file.added) {
    Entry& entry = fill(token.id, token.normalized ? file.normaliser.apply(token.content) : token.content);
    entry.special = token.special;
    entry.skipped = token.special && entry.written == token.content;
  }
}

TokenTable::Entry& TokenTable::add(std::int64_t id) {
  const auto at = static_cast<std::size_t>(id);
  if (at >= entries_.size()) entries_.resize(at + 1);
  entries_[at].known = true;
  return entries_[at];
}

}  // namespace diopter::text
