// tokenizer.model, as SentencePiece writes it.
#pragma once

#include <string>
#include <string_view>

#include "base/canonical_json.hpp"

namespace diopter::text {

// The tokenizer.json that the model stands for, its ids the places of its pieces:
// - BPE: merges are all pairs of ordinary pieces that make a third, by falling score of that, as transformers has them;
//   Unigram: the scores.
// - Normalizer: the precompiled rules, spaces stripped and collapsed, "▁" put first, " " written "▁", each where
// the
//   model asks for it. No pre-tokenizer.
// - Control and user-defined pieces and the unknown one are added tokens, which are looked for before normalisation.
// Nothing is put around a text: that is for tokenizer_config.json to say. UserError(Refused) for what is not such a
// file, other model types, white space as suffix, unused pieces, and pieces that occur twice.
base::Json sentencepiece_document(std::string_view bytes, const std::string& origin);

}  // namespace diopter::text
