// A tokenizer for tests: a token stands for the bytes it is given.
#pragma once

#include <string>
#include <vector>

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

namespace diopter::engine::testing {

class BytesCodec final : public TokenCodec {
 public:
  explicit BytesCodec(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}
  std::vector<Index> encode(Text text) const override {
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (tokens_[id] == text) return {static_cast<Index>(id)};
    }
    throw Error("not one token");
  }
  std::string text(Index token) const override { return tokens_.at(static_cast<std::size_t>(token)); }
  Index size() const override { return static_cast<Index>(tokens_.size()); }

 private:
  std::vector<std::string> tokens_;
};

}  // namespace diopter::engine::testing
