// tokenizer.json read into plain values, or refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.hpp"
#include "text/bpe_model.hpp"
#include "text/decoder.hpp"
#include "text/normaliser.hpp"
#include "text/post_processor.hpp"
#include "text/pre_tokeniser.hpp"
#include "text/unigram.hpp"

namespace diopter::text {

// What every kind of file becomes: tokenizer.json, tokenizer.model, vocab.json with merges.txt.
struct TokenizerFile {
  enum class Model { Bpe, Unigram };
  Model model = Model::Bpe;
  BpeFile bpe;  // empty if it is the other
  UnigramFile unigram;
  Normaliser normaliser;
  PreTokeniser pre_tokeniser;
  Decoder decoder;
  std::vector<AddedToken> added;
  PostProcessor post_processor;

  std::size_t vocabulary_size() const { return model == Model::Bpe ? bpe.vocab.size() : unigram.vocab.size(); }
};

// Supported: version 1.0; model BPE without dropout and affixes, or Unigram; the components that normaliser.hpp,
// pre_tokeniser.hpp, decoder.hpp and post_processor.hpp list. What is not, and any key not known here, is a
// UserError(Refused) that names key and value. `truncation` and `padding` are not applied, as transformers does not
// apply them. Ids must be distinct, and an added token must have the id that the tokenizers library would give it.
TokenizerFile read_tokenizer_file(std::string_view json, const std::string& origin);
TokenizerFile read_tokenizer_document(const base::Json& document, const std::string& origin);

}  // namespace diopter::text
