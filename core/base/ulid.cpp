#include "base/ulid.hpp"

#include <sys/random.h>

#include <array>
#include <cstdint>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace diopter::base {

std::string new_ulid() {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::array<unsigned char, 10> random;
  DIOPTER_CHECK(::getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()), "no random bytes");
  std::string out(26, '0');
  std::uint64_t time = static_cast<std::uint64_t>(now_us()) / 1000;
  for (int i = 9; i >= 0; --i, time >>= 5) out[static_cast<std::size_t>(i)] = kAlphabet[time & 31];
  std::uint64_t bits = 0;
  int held = 0;
  std::size_t at = 10;
  for (const unsigned char byte : random) {
    bits = (bits << 8) | byte;
    held += 8;
    while (held >= 5) {
      held -= 5;
      out[at++] = kAlphabet[(bits >> held) & 31];
    }
  }
  return out;
}

std::string short_id(std::string_view ulid) {
  return std::string(ulid.size() > 8 ? ulid.substr(ulid.size() - 8) : ulid);
}

}  // namespace diopter::base
