// The tokenizer files of llama2.c (tok512.bin, tokenizer.bin): a SentencePiece vocabulary without its proto. Source:
// tokenizer.py (export) and build_tokenizer, encode and decode of run.c there.
#pragma once

#include <string>
#include <string_view>

namespace diopter::text {

// The same vocabulary as a SentencePiece model (sentencepiece_file.hpp): BPE by score, byte fallback, a space put
// first. The layout: int32 longest piece; then for each piece float32 score, int32 length, bytes, with spaces for "▁".
// Its first pieces are <unk>, BOS, EOS and the 256 bytes. UserError(Refused, id "tokenizer.llama2c") for anything else.
std::string llama2c_as_sentencepiece(std::string_view bytes, const std::string& origin);

}  // namespace diopter::text
