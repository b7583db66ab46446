#include "text/byte_alphabet.hpp"

#include <gtest/gtest.h>

#include <set>

namespace diopter::text {
namespace {

TEST(ByteAlphabet, IsGpt2s) {
  EXPECT_EQ(to_symbols(" a\n"), "\u0120a\u010a");
  EXPECT_EQ(symbol_of(0x00), U'\u0100');
  EXPECT_EQ(symbol_of(0x7f), U'\u0121');
  EXPECT_EQ(symbol_of(0xad), U'\u0143');  // the soft hyphen is the last of those that are not printable
  EXPECT_EQ(symbol_of(0xae), U'\u00ae');
}

TEST(ByteAlphabet, IsReversible) {
  std::set<char32_t> symbols;
  for (int byte = 0; byte < 256; ++byte) {
    const auto b = static_cast<unsigned char>(byte);
    symbols.insert(symbol_of(b));
    EXPECT_EQ(byte_of(symbol_of(b)), b);
  }
  EXPECT_EQ(symbols.size(), 256u);
  EXPECT_EQ(byte_of(U' '), std::nullopt);
  EXPECT_EQ(byte_of(U'\u0144'), std::nullopt);
  EXPECT_EQ(from_symbols("\u0120the"), " the");
  EXPECT_EQ(from_symbols("two words"), std::nullopt);
}

TEST(ByteAlphabet, OrderIsBySymbol) {
  const auto& order = bytes_in_symbol_order();
  EXPECT_EQ(order[0], '!');
  EXPECT_EQ(order[93], '~');
  EXPECT_EQ(order[188], 0x00);
  EXPECT_EQ(order[255], 0xad);
}

}  // namespace
}  // namespace diopter::text
