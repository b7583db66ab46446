// The tokenizer that lies with a model, and whether it is this model's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "exec/model_source.hpp"
#include "text/tokenizer.hpp"

namespace diopter::exec {

// tokenizer.json and its like (text/tokenizer_source.hpp). Where none of these lies there: the tok*.model
// (SentencePiece), else llama2.c's tokenizer.bin or tok512.bin, whose vocabulary has the model's size. Empty: none.
// UserError(Refused) when several of a kind have that size, or one cannot be read.
std::vector<std::filesystem::path> tokenizer_files(const ModelFolder& model);

// Nothing when there are no such files. UserError(Refused) for one that cannot be read.
std::optional<text::Tokenizer> load_tokenizer(const ModelFolder& model);

// One sentence when the vocabularies of tokenizer and model can hardly belong together: tokens the model has no row
// for, or more than 1,024 and a twentieth of its rows without a token (fewer are padding); else "".
std::string vocabulary_mismatch(const text::Tokenizer& tokenizer, const ModelInfo& info);

}  // namespace diopter::exec
