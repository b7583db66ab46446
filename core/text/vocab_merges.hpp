// The older pair of files of a byte-level tokenizer: vocab.json (or encoder.json) and merges.txt (or vocab.bpe).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/canonical_json.hpp"

namespace diopter::text {

struct VocabMerges {
  std::string_view vocab, merges;           // contents
  std::string vocab_origin, merges_origin;  // names for messages
  std::optional<std::string_view> config;   // of tokenizer_config.json
  std::string config_origin;
};

// The tokenizer.json that the files stand for. Which kind they are tokenizer_config.json says with its tokenizer_class:
// GPT-2's (also without a config) or Qwen2's; another class is a UserError(Refused), for its pattern is not in these
// files. Added tokens are those of the config's added_tokens_decoder, or <|endoftext|> where the vocabulary has it.
base::Json vocab_merges_document(const VocabMerges& files);

}  // namespace diopter::text
