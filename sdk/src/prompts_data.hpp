// What the sources of Prompts share; private to the SDK.
#pragma once

#include <diopter/error.hpp>
#include <diopter_host/specs.hpp>

namespace diopter {
inline namespace abi1 {
namespace prompts {

using Data = PromptsData;

std::string set_name(const Data& data);                   // "prompts 'ioi'"
std::string row_name(const Data& data, std::size_t row);  // "row 3 of prompts 'ioi'"
// The tokens that inputs() gives for a row.
const std::vector<Index>& tokens_of(const Data& data, std::size_t row);
Index length_of(const Data& data, std::size_t row);
std::vector<Index> all_lengths(const Data& data);
const TokenCodec& codec_of(const Data& data);
// "The| Col|os", or token ids when there is no tokenizer.
std::string shown(const Data& data, const std::vector<Index>& tokens);
// The rows at these places, in this order, with all their columns.
Prompts picked(const Data& data, const std::vector<Index>& places);
std::string nth(Index occurrence);                                      // "2nd", "last", "2nd last"
Tensor padded(const std::vector<std::vector<Index>>& rows, Index pad);  // int64 [row, longest]

}  // namespace prompts
}  // namespace abi1
}  // namespace diopter
