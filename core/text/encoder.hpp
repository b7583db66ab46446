// The way of a text to ids: added tokens cut out, words split off, each word merged (or found in a cache).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/added_tokens.hpp"
#include "text/bpe.hpp"
#include "text/token_table.hpp"
#include "text/tokenizer_file.hpp"

namespace diopter::text {

// Immutable but for a pool of workspaces: concurrent calls share nothing while they run. [any thread]
class Encoder {
 public:
  // `tokens` must outlive it. `origin` names the tokenizer in messages.
  Encoder(const TokenizerFile& file, const TokenTable& tokens, std::string origin);
  ~Encoder();

  // Appends; `spans` may be null. Errors as Tokenizer::encode.
  void encode(std::string_view text, std::vector<std::int64_t>& ids, std::vector<Span>* spans) const;

 private:
  struct Workspace;
  class Call;
  std::unique_ptr<Workspace> borrow() const;
  void give_back(std::unique_ptr<Workspace> workspace) const;

  const TokenTable& tokens_;
  std::string origin_;
  bool add_prefix_space_, use_regex_;
  PostProcessor post_processor_;
  AddedTokenSplitter splitter_;
  Bpe bpe_;
  std::unordered_map<std::string_view, std::uint32_t> whole_words_;  // with ignore_merges: bytes -> id

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace diopter::text
