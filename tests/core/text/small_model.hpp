// A tokenizer.model of a few pieces, written by hand in protocol buffers' wire format.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace diopter::text {

inline std::string varint(std::uint64_t number) {
  std::string out;
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(static_cast<unsigned char>(number | 0x80));
  return out + static_cast<char>(static_cast<unsigned char>(number));
}

inline std::string number_field(std::uint32_t tag, std::uint64_t number) { return varint(tag << 3) + varint(number); }
inline std::string bytes_field(std::uint32_t tag, std::string_view bytes) {
  return varint(tag << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}
inline std::string float_field(std::uint32_t tag, float value) {
  std::string out = varint(tag << 3 | 5);
  for (auto bits = std::bit_cast<std::uint32_t>(value), i = 0u; i < 4; ++i, bits >>= 8) {
    out += static_cast<char>(static_cast<unsigned char>(bits));
  }
  return out;
}

struct SmallPiece {
  std::string text;
  float score = 0;
  std::uint64_t type = 1;  // 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
};

struct SmallModel {
  std::vector<SmallPiece> pieces;
  std::uint64_t type = 2;  // 1 Unigram, 2 BPE
  bool byte_fallback = false, add_dummy_prefix = true, remove_extra_spaces = false;
  std::string rules;

  std::string bytes() const {
    std::string out;
    for (const auto& piece : pieces) {
      out += bytes_field(1, bytes_field(1, piece.text) + float_field(2, piece.score) + number_field(3, piece.type));
    }
    out += bytes_field(2, number_field(3, type) + number_field(35, byte_fallback) + bytes_field(45, "<unk>"));
    out += bytes_field(3, bytes_field(1, "identity") + bytes_field(2, rules) + number_field(3, add_dummy_prefix) +
                              number_field(4, remove_extra_spaces));
    return out;
  }
};

// Ids: 0 <unk>, 1 <s>, 2 </s>, 3 "▁", 4.. "h" "e" "l" "o", 8 "▁he", 9 "ll", 10 "▁h", 11 "he", 12 "<r>" (user-defined).
inline SmallModel small_model() {
  SmallModel out;
  out.pieces = {{"<unk>", 0, 2}, {"<s>", 0, 3}, {"</s>", 0, 3}, {"\u2581", -9},   {"h", -10},
                {"e", -11},      {"l", -12},    {"o", -13},     {"\u2581he", -3}, {"ll", -2},
                {"\u2581h", -1}, {"he", -4},    {"<r>", 0, 4}};
  return out;
}

// The same with the 256 bytes, from id 13 on.
inline SmallModel small_spelling_model() {
  SmallModel out = small_model();
  out.byte_fallback = true;
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (std::size_t byte = 0; byte < 256; ++byte) {
    out.pieces.push_back({std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">", 0, 6});
  }
  return out;
}

// Rules that make "A" "a" and drop U+0301: a trie in which the two are alone.
inline std::string small_rules() {
  // Units of darts-clone: label in the low 8 bits, bit 8 "has a value", offset from bit 10 on.
  std::vector<std::uint32_t> units(1024, 0);
  const auto put = [&](std::size_t at, std::uint32_t label, bool leaf, std::size_t to) {
    units[at] = label | (leaf ? 0x100u : 0u) | static_cast<std::uint32_t>((at ^ to) << 10);
  };
  units[0] = static_cast<std::uint32_t>(256) << 10;  // the root's children are at 256 ^ byte
  put(256 ^ 'A', 'A', true, 600);                    // its value is at 600
  units[600] = 0x80000000u | 0;                      // "a"
  put(256 ^ 0xcc, 0xcc, false, 512);                 // U+0301 is cc 81
  put(512 ^ 0x81, 0x81, true, 601);
  units[601] = 0x80000000u | 2;  // ""
  std::string out;
  const auto word = [&](std::uint32_t value) {
    for (int i = 0; i < 4; ++i, value >>= 8) out += static_cast<char>(static_cast<unsigned char>(value));
  };
  word(static_cast<std::uint32_t>(4 * units.size()));
  for (const std::uint32_t unit : units) word(unit);
  return out + std::string("a\0\0", 3);
}

}  // namespace diopter::text
