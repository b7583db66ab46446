// A tokenizer for a closed vocabulary: every given word is one token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace diopter::text {

// The tokenizer.json of a byte-level BPE in which each of `words` encodes to one id. Id 0 is `special`, 1..256 are the
// bytes in symbol order, then come the merged tokens: prefixes of words, in the order of their making.
// A word is one pre-token of the GPT-2 pattern ("store", " store", "'s"): one that the pattern cuts, an empty one or
// one that is not UTF-8 is a UserError(Usage). Words may repeat; their order does not matter.
std::string word_tokenizer(const std::vector<std::string>& words, std::string_view special = "<|endoftext|>");

}  // namespace diopter::text
