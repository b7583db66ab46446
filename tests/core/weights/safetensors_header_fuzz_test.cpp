// Seeded mutations: whatever the bytes, the header parser either refuses with one sentence or describes tensors that
// lie inside the file. Deterministic, a second or two.
#include <gtest/gtest.h>

#include <random>

#include "base/error.hpp"
#include "core/weights/files.hpp"
#include "environment.hpp"
#include "weights/safetensors_header.hpp"

namespace diopter::weights {
namespace {

std::string valid_file() {
  return testing::safetensors_bytes(
      R"({"__metadata__":{"format":"pt","note":"\u00fc\n"},"wte.weight":{"dtype":"F32","shape":[4,3],"data_offsets":[0,48]},)"
      R"("h.0.ln_1.bias":{"dtype":"BF16","shape":[3],"data_offsets":[48,54]},"n":{"dtype":"I64","shape":[],"data_offsets":[54,62]}} )",
      62);
}

enum class Outcome { Accepted, Refused };

Outcome try_parse(const std::string& bytes) {
  try {
    const SafetensorsHeader header = parse_safetensors_header(bytes, "mutant");
    std::uint64_t at = 0;
    for (const StoredTensor& t : header.tensors) {
      std::uint64_t size = element_size(t.dtype);
      for (const std::int64_t n : t.shape) size *= static_cast<std::uint64_t>(n);
      EXPECT_EQ(t.begin, at);
      EXPECT_EQ(t.end - t.begin, size);
      at = t.end;
    }
    EXPECT_EQ(header.data_start + at, bytes.size());
    return Outcome::Accepted;
  } catch (const base::UserError& error) {
    EXPECT_EQ(error.exit(), base::Exit::Refused);
    EXPECT_GT(std::string(error.what()).size(), 20U);
    EXPECT_LT(std::string(error.what()).size(), 1000U);
    return Outcome::Refused;
  }
}

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string operator()(std::string bytes) {
    for (std::size_t n = 1 + below(3); n > 0; --n) mutate(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  void mutate(std::string& bytes) {
    static const char* const kWords[] = {"-1",
                                         "1e3",
                                         "18446744073709551616",
                                         "9223372036854775807",
                                         "null",
                                         "[]",
                                         "{}",
                                         "\"",
                                         ",",
                                         "[[[[",
                                         "\\u0000",
                                         "F16",
                                         "U8",
                                         "{\"dtype\":\"F32\"",
                                         "\xff\xfe",
                                         "0.0"};
    if (bytes.empty()) return;
    const std::size_t at = below(bytes.size());
    switch (below(7)) {
      case 0: bytes[at] = static_cast<char>(below(256)); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      case 2: bytes.erase(at, 1 + below(4)); break;
      case 3: bytes.insert(at, kWords[below(std::size(kWords))]); break;
      case 4: bytes.replace(at, 1, kWords[below(std::size(kWords))]); break;
      case 5: bytes.insert(at, bytes.substr(below(bytes.size()), below(20))); break;
      case 6: fix_length(bytes); break;
    }
    if (below(2) == 0) fix_length(bytes);  // else most mutants end at the length
  }

  // The length field again says where the header ends, so that a mutant reaches the checks behind it.
  static void fix_length(std::string& bytes) {
    const std::size_t end = bytes.rfind('}');
    if (bytes.size() > 8 && end != std::string::npos && end >= 8) bytes.replace(0, 8, testing::little_endian(end - 7));
  }

  std::mt19937 random_;
};

TEST(SafetensorsHeaderFuzz, MutantsAreRefusedOrSound) {
  Mutator mutant(20240607);
  const std::string valid = valid_file();
  int accepted = 0;
  const int rounds = tests::fuzz_rounds(10'000);
  for (int i = 0; i < rounds; ++i) accepted += try_parse(mutant(valid)) == Outcome::Accepted;
  std::printf("%d mutants of a safetensors file: %d accepted, the others refused\n", rounds, accepted);
  EXPECT_GT(accepted, rounds / 200) << "mutants never reach the end of the parser";
  EXPECT_LT(accepted, rounds / 2) << "mutants hardly change anything";
}

TEST(SafetensorsHeaderFuzz, EveryTruncationIsRefused) {
  const std::string valid = valid_file();
  ASSERT_EQ(try_parse(valid), Outcome::Accepted);
  for (std::size_t n = 0; n < valid.size(); ++n) EXPECT_EQ(try_parse(valid.substr(0, n)), Outcome::Refused) << n;
}

TEST(SafetensorsHeaderFuzz, EveryBitFlipOfTheHeaderIsRefusedOrSound) {
  const std::string valid = valid_file();
  const std::size_t end = parse_safetensors_header(valid, "m").data_start;
  for (std::size_t at = 0; at < end; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = valid;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      try_parse(flipped);
    }
  }
}

}  // namespace
}  // namespace diopter::weights
