// Added tokens that only tokenizer_config.json knows, where the vocabulary comes without a tokenizer.json.
#pragma once

#include "base/canonical_json.hpp"
#include "text/json_field.hpp"

namespace diopter::text {

// Completes a tokenizer.json's added_tokens: with the config's added_tokens_decoder, for contents that are not there,
// in the order of ids; then with the tokens named by bos_token, eos_token, unk_token and pad_token that `vocab`, an
// object of ids by token, has.
void add_config_tokens(const Field& config, const base::Json& vocab, base::Json& added);

base::Json special_token_document(std::uint64_t id, const std::string& content);

}  // namespace diopter::text
