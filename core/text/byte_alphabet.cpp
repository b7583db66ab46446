#include "text/byte_alphabet.hpp"

#include <algorithm>
#include <numeric>

#include "base/utf8.hpp"

namespace diopter::text {
namespace {

constexpr char32_t kFirstStandIn = 256;
constexpr char32_t kSymbolEnd = kFirstStandIn + 68;  // 68 bytes are not printable Latin-1

struct Alphabet {
  std::array<char32_t, 256> symbol{};
  std::array<std::int16_t, kSymbolEnd> byte{};
  std::array<unsigned char, 256> order{};

  Alphabet() {
    byte.fill(-1);
    char32_t stand_in = kFirstStandIn;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      symbol[b] = printable ? b : stand_in++;
      byte[symbol[b]] = static_cast<std::int16_t>(b);
    }
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](unsigned a, unsigned b) { return symbol[a] < symbol[b]; });
  }
};

const Alphabet& alphabet() {
  static const Alphabet kAlphabet;
  return kAlphabet;
}

}  // namespace

char32_t symbol_of(unsigned char byte) { return alphabet().symbol[byte]; }

std::optional<unsigned char> byte_of(char32_t symbol) {
  if (symbol >= kSymbolEnd || alphabet().byte[symbol] < 0) return std::nullopt;
  return static_cast<unsigned char>(alphabet().byte[symbol]);
}

std::string to_symbols(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += base::to_utf8(symbol_of(static_cast<unsigned char>(c)));
  return out;
}

std::optional<std::string> from_symbols(std::string_view symbols) {
  std::string out;
  for (const char32_t symbol : base::code_points(symbols)) {
    const auto byte = byte_of(symbol);
    if (!byte) return std::nullopt;
    out += static_cast<char>(*byte);
  }
  return out;
}

const std::array<unsigned char, 256>& bytes_in_symbol_order() { return alphabet().order; }

}  // namespace diopter::text
