// The key "model" of tokenizer.json, and its parts, which vocab.json and merges.txt hold too.
#pragma once

#include "text/json_field.hpp"
#include "text/tokenizer_file.hpp"

namespace diopter::text {

// BPE or Unigram; anything else is a UserError(Refused), as are ids that occur twice and merges whose tokens are not in
// the vocabulary.
void read_model(const Field& root, TokenizerFile& out);

void read_vocabulary(const Field& vocab, BpeFile& out);  // {token: id}
void read_merges(const Field& merges, BpeFile& out);     // ["a b"] or [["a", "b"]]

}  // namespace diopter::text
