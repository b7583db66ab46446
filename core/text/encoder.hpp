// The way of a text to ids: added tokens cut out, the rest normalised and cut into words, each given to the model (or
// found in a cache).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.hpp"
#include "text/token_table.hpp"
#include "text/tokenizer_file.hpp"
#include "text/word_model.hpp"

namespace diopter::text {

// A text that stands alone, or one that follows other text: then nothing is put before its first word, as a tokenizer
// of SentencePiece's kind or one with a prefix space would.
enum class Place { Alone, Continuation };

// Immutable but for a pool of workspaces: concurrent calls share nothing while they run. [any thread]
class Encoder {
 public:
  // `tokens` must outlive it. `origin` names the tokenizer in messages.
  Encoder(const TokenizerFile& file, const TokenTable& tokens, std::string origin);
  ~Encoder();

  // Appends; `spans` may be null. Errors as Tokenizer::encode.
  void encode(std::string_view text, std::vector<std::int64_t>& ids, std::vector<Span>* spans,
              Place place = Place::Alone) const;

 private:
  struct Workspace;
  class Call;
  std::unique_ptr<Workspace> borrow() const;
  void give_back(std::unique_ptr<Workspace> workspace) const;

  struct Front {
    Normaliser normaliser;
    PreTokeniser pre_tokeniser;
  };
  const Front& front(Place place) const { return place == Place::Alone ? alone_ : continuation_; }

  const TokenTable& tokens_;
  std::string origin_;
  Front alone_, continuation_;
  PostProcessor post_processor_;
  AddedTokenSplitter exact_, normalized_;
  std::unique_ptr<const WordModel> model_;

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace diopter::text
