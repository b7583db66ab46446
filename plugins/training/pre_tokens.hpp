// GPT-2's pre-tokeniser for ASCII text, by hand: a plugin has no regex library, and the corpus is ASCII.
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace training {

// Pieces of `text` in order; together they are `text`. Views into it. diopter::Error for a byte that is not ASCII.
std::vector<std::string_view> pre_tokens(std::string_view text);
template <std::same_as<std::string> Temporary>
std::vector<std::string_view> pre_tokens(Temporary&& text) = delete;  // the views would dangle

}  // namespace training
