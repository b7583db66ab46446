#include "text/bpe_model.hpp"

#include <algorithm>

#include "text/byte_alphabet.hpp"
#include "text/characters.hpp"

namespace diopter::text {
namespace {

constexpr std::string_view kMark = "\u2581";  // SentencePiece's space

std::uint32_t id_or_none(const std::unordered_map<std::string, std::uint32_t>& vocab, const std::string& token) {
  const auto found = vocab.find(token);
  return found == vocab.end() ? kNoToken : found->second;
}

// Whether no merge joins something else with what begins with the mark, so that a mark after something else always
// begins a token. Tokens that spell bytes, and the unknown one, end with something else.
bool mark_begins_tokens(const BpeFile& file) {
  if (!file.vocab.contains(std::string(kMark)) || file.unknown_token == kMark || file.ignore_merges) return false;
  std::unordered_map<std::uint32_t, std::string_view> written;
  for (const auto& [token, id] : file.vocab) written.emplace(id, token);
  return std::none_of(file.merges.begin(), file.merges.end(), [&](const Merge& merge) {
    return written[merge.right].starts_with(kMark) && !written[merge.left].ends_with(kMark);
  });
}

}  // namespace

ByteTokens byte_tokens(const std::unordered_map<std::string, std::uint32_t>& vocab) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  ByteTokens out;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    out[byte] = id_or_none(vocab, std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">");
  }
  return out;
}

struct BpeModel::Workspace : WordModel::Workspace {
  Bpe::Workspace symbols;
};

BpeModel::BpeModel(const BpeFile& file, Alphabet alphabet)
    : alphabet_(alphabet), bpe_(file.merges), fuse_unknown_(file.fuse_unknown) {
  first_.fill(kNoToken);
  if (file.unknown_token) unknown_ = id_or_none(file.vocab, *file.unknown_token);
  if (alphabet == Alphabet::Bytes) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      first_[byte] = id_or_none(file.vocab, to_symbols({&c, 1}));
    }
  } else {
    if (file.byte_fallback) spelling_ = byte_tokens(file.vocab);
    for (const auto& [token, id] : file.vocab) {
      if (token.empty() || character_size(token[0]) != token.size()) continue;
      const char32_t c = character_at(token, 0);
      if (c < 0x80) first_[c] = id;
      else others_.emplace(c, id);
    }
    if (mark_begins_tokens(file)) always_begins_ = kMark;
  }
  if (!file.ignore_merges) return;
  for (const auto& [token, id] : file.vocab) {
    if (alphabet == Alphabet::Characters) whole_words_.emplace(token, id);
    else if (auto bytes = from_symbols(token)) whole_words_.emplace(std::move(*bytes), id);
  }
}

std::unique_ptr<WordModel::Workspace> BpeModel::workspace() const { return std::make_unique<Workspace>(); }

std::optional<Span> BpeModel::encode(std::string_view word, WordModel::Workspace& workspace,
                                     std::vector<Token>& out) const {
  if (!whole_words_.empty()) {
    const auto whole = whole_words_.find(std::string(word));
    if (whole != whole_words_.end()) {
      out.push_back({whole->second, 0, static_cast<std::uint32_t>(word.size())});
      return std::nullopt;
    }
  }
  auto& own = static_cast<Workspace&>(workspace);
  own.symbols.clear();
  if (const auto missing = alphabet_ == Alphabet::Bytes ? add_bytes(word, own) : add_characters(word, own)) {
    return missing;
  }
  bpe_.merge(own.symbols, out);
  return std::nullopt;
}

std::optional<Span> BpeModel::add_bytes(std::string_view word, Workspace& workspace) const {
  std::size_t unknown = 0;  // bytes that wait to become one unknown token
  const auto flush = [&] {
    if (unknown > 0) workspace.symbols.add(unknown_, unknown);
    unknown = 0;
  };
  for (std::size_t at = 0; at < word.size(); ++at) {
    const std::uint32_t id = first_[static_cast<unsigned char>(word[at])];
    if (id != kNoToken) {
      flush();
      workspace.symbols.add(id, 1);
    } else if (unknown_ == kNoToken) {
      return Span{at, at + 1};
    } else {
      if (!fuse_unknown_) flush();
      ++unknown;
    }
  }
  flush();
  return std::nullopt;
}

std::optional<Span> BpeModel::add_characters(std::string_view word, Workspace& workspace) const {
  std::size_t unknown = 0;
  const auto flush = [&] {
    if (unknown > 0) workspace.symbols.add(unknown_, unknown);
    unknown = 0;
  };
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t size = character_size(word[at]);
    std::uint32_t id = kNoToken;
    if (size == 1) {
      id = first_[static_cast<unsigned char>(word[at])];
    } else if (const auto found = others_.find(character_at(word, at)); found != others_.end()) {
      id = found->second;
    }
    if (id != kNoToken) {
      flush();
      workspace.symbols.add(id, size);
    } else if (!spell(word.substr(at, size), workspace)) {
      if (unknown_ == kNoToken) return Span{at, at + size};
      if (!fuse_unknown_) flush();
      unknown += size;
    }
    at += size;
  }
  flush();
  return std::nullopt;
}

// As in the library, this does not end a run of unknown characters: one that stands before comes out after.
bool BpeModel::spell(std::string_view character, Workspace& workspace) const {
  if (!spelling_) return false;
  const auto id = [&](char c) { return (*spelling_)[static_cast<unsigned char>(c)]; };
  if (std::any_of(character.begin(), character.end(), [&](char c) { return id(c) == kNoToken; })) return false;
  for (const char c : character) workspace.symbols.add(id(c), 1);
  return true;
}

}  // namespace diopter::text
