// tokenizer_config.json: what transformers keeps beside tokenizer.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/tokenizer_file.hpp"

namespace diopter::text {

struct TokenizerConfig {
  std::optional<std::string> bos_token, eos_token;
  // Whether BOS and EOS are put around a text whatever the post-processor says: add_bos_token and add_eos_token, the
  // one that is missing false where the other is there.
  std::optional<bool> add_bos, add_eos;
};

// Reads the names of BOS and EOS. Where the config contradicts tokenizer.json, transformers lets the config win; here
// it is a UserError(Refused): `add_prefix_space` that differs, and tokens (of `added_tokens_decoder`, BOS, EOS) that
// the file lacks.
TokenizerConfig read_tokenizer_config(std::string_view json, const std::string& origin, const TokenizerFile& file);

}  // namespace diopter::text
