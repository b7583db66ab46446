// Which files of a folder make its tokenizer.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "text/tokenizer_file.hpp"

namespace diopter::text {

struct TokenizerSource {
  TokenizerFile file;
  std::string origin;                 // its name in messages
  std::string sha256;                 // of the bytes read, of vocabulary and merges one after the other
  std::optional<std::string> config;  // tokenizer_config.json beside it
  std::string config_origin;
};

// The files that make the tokenizer of a path, tokenizer_config.json last if there is one; empty if there is no
// tokenizer. Who wants to know whether a tokenizer changed hashes these.
std::vector<std::filesystem::path> tokenizer_files(const std::filesystem::path& path);

// A file (tokenizer.json, *.model, or *.bin of llama2.c), or a folder: of tokenizer.json, tokenizer.model, vocab.json
// with merges.txt and encoder.json with vocab.bpe the first that is there. UserError(Refused) when none is, or it
// cannot be read.
TokenizerSource read_tokenizer_source(const std::filesystem::path& path);

}  // namespace diopter::text
