// A tokenizer as the SDK's values use it.
#pragma once

#include <diopter_host/specs.hpp>

#include "text/tokenizer.hpp"

namespace diopter::engine {

// Thread-safe, as the tokenizer is.
class Codec final : public TokenCodec {
 public:
  explicit Codec(text::Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}

  std::vector<Index> encode(Text text) const override;
  std::vector<Index> continuation(Text text) const override;
  std::string text(Index token) const override;  // "[id 50300]" for an id without a token
  Index size() const override { return tokenizer_.size(); }
  const text::Tokenizer& tokenizer() const noexcept { return tokenizer_; }

 private:
  text::Tokenizer tokenizer_;
};

}  // namespace diopter::engine
