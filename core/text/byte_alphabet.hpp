// GPT-2's reversible map between bytes and printable characters, in which vocabularies and merges are written:
// a space is "Ġ" (U+0120), a line feed "Ċ" (U+010A), printable Latin-1 stands for itself.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace diopter::text {

char32_t symbol_of(unsigned char byte);
std::optional<unsigned char> byte_of(char32_t symbol);

// Bytes -> their symbols as UTF-8.
std::string to_symbols(std::string_view bytes);
// Symbols -> bytes, or nothing when a character is not one of the 256 (a token added with a space in it, say).
std::optional<std::string> from_symbols(std::string_view symbols);

// The 256 bytes by rising symbol: the order of the ids in vocabularies trained by `tokenizers`.
const std::array<unsigned char, 256>& bytes_in_symbol_order();

}  // namespace diopter::text
