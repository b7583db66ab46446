#include "engine/codec.hpp"

#include <diopter/error.hpp>

#include "base/error.hpp"

namespace diopter::engine {

std::vector<Index> Codec::encode(Text text) const {
  try {
    return tokenizer_.encode(text);
  } catch (const base::UserError& error) {
    throw Error(error.what());
  }
}

std::vector<Index> Codec::continuation(Text text) const {
  try {
    return tokenizer_.continuation(text);
  } catch (const base::UserError& error) {
    throw Error(error.what());
  }
}

std::string Codec::text(Index token) const {
  return tokenizer_.has(token) ? std::string(tokenizer_.token_bytes(token)) : tokenizer_.label(token);
}

}  // namespace diopter::engine
