// Seeded mutations of torch checkpoints: whatever the bytes, the reader either refuses with one sentence or describes
// tensors that lie inside the file. Deterministic.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "base/error.hpp"
#include "core/weights/torch_bytes.hpp"
#include "environment.hpp"
#include "weights/torch_file.hpp"

namespace diopter::weights {
namespace {

using namespace testing;

const std::string kFloats(48, '\x3f');

std::string rich_pickle() {
  const std::string a = storage("0", 12), b = storage("1", 6, "HalfStorage");
  return pickle(global("collections", "OrderedDict") + ")Rq" + std::string(1, '\0') + "(" + text("model") +
                dict({{"w", tensor(a, 0, {3, 4}, {4, 1})},
                      {"t", tensor(a, 1, {2, 3}, {1, 4})},
                      {"h", tensor(b, 2, {4}, {1})},
                      {"e", tensor(b, 0, {5, 1}, {0, 1})}}) +
                text("args") +
                dict({{"n", "K\x07"}, {"f", "G" + std::string(8, '\x40')}, {"l", "](" + text("x") + "NK\1e"}}) +
                text("size") + global("torch", "Size") + "K\2K\3\x86\x85Ru");
}

std::string with_pickle(const std::string& pickled) {
  return torch_zip(pickled, {{"0", kFloats}, {"1", std::string(12, '\x3c')}});
}

std::string legacy_file(const std::string& pickled) {
  return std::string(
             "\x80\x02\x8a\x0al\xfc\x9c"
             "F\xf9 j\xa8P\x19.",
             15) +
         pickle("M\xe9\x03") + pickle(dict({{"little_endian", "\x88"}, {"protocol_version", "M\xe9\x03"}})) + pickled +
         pickle("](" + text("0") + text("1") + "e") + le(12, 8) + kFloats + le(6, 8) + std::string(12, '\x3c');
}

enum class TorchOutcome { Accepted, Refused };

TorchOutcome try_torch(const std::string& bytes) {
  try {
    const TorchFile file = read_torch_file(bytes, nullptr, "mutant");
    unsigned sum = 0;
    for (const auto& [name, view] : file.tensors) {
      std::uint64_t last = 0, count = 1;
      for (std::size_t i = 0; i < view.shape.size(); ++i) {
        count *= static_cast<std::uint64_t>(view.shape[i]);
        if (!view.strides.empty() && view.shape[i] > 0)
          last += static_cast<std::uint64_t>(view.shape[i] - 1) * static_cast<std::uint64_t>(view.strides[i]);
      }
      const std::uint64_t elements = count == 0 ? 0 : view.strides.empty() ? count : last + 1;
      EXPECT_EQ(view.bytes.size(), elements * element_size(view.dtype));
      for (const char byte : view.bytes)
        sum += static_cast<unsigned char>(byte);  // the sanitizer sees what lies outside
    }
    EXPECT_TRUE(file.document.is_object());
    return sum == ~0U ? TorchOutcome::Refused : TorchOutcome::Accepted;
  } catch (const base::UserError& error) {
    EXPECT_EQ(error.exit(), base::Exit::Refused);
    EXPECT_GT(std::string(error.what()).size(), 20U);
    EXPECT_LT(std::string(error.what()).size(), 1000U);
    return TorchOutcome::Refused;
  }
}

class TorchMutator {
 public:
  explicit TorchMutator(std::uint32_t seed) : random_(seed) {}

  std::string operator()(std::string bytes) {
    for (std::size_t n = 1 + below(3); n > 0; --n) mutate(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  void mutate(std::string& bytes) {
    static const std::string kPieces[] = {"(",
                                          "t",
                                          "u",
                                          "R",
                                          "Q",
                                          "}",
                                          "]",
                                          "N",
                                          "e",
                                          "b",
                                          "\x85",
                                          "\x88",
                                          ".",
                                          std::string("h\0", 2),
                                          std::string("q\0", 2),
                                          "\xff\xff\xff\xff",
                                          std::string(4, '\0'),
                                          "\x8a\x08zzzzzzzz",
                                          global("torch", "Size"),
                                          global("os", "system"),
                                          storage("0", 12),
                                          "J\xff\xff\xff\x7f",
                                          tensor(storage("1", 6), 1, {2}, {2}),
                                          "PK\x01\x02",
                                          "PK\x06\x06"};
    if (bytes.empty()) return;
    const std::size_t at = below(bytes.size());
    switch (below(7)) {
      case 0: bytes[at] = static_cast<char>(below(256)); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      case 2: bytes.erase(at, 1 + below(4)); break;
      case 3: bytes.insert(at, kPieces[below(std::size(kPieces))]); break;
      case 4: bytes.replace(at, 1, kPieces[below(std::size(kPieces))]); break;
      case 5: bytes.insert(at, bytes.substr(below(bytes.size()), below(40))); break;
      case 6: bytes[at] = static_cast<char>(bytes[at] + (below(2) == 0 ? 1 : -1)); break;
    }
  }

  std::mt19937 random_;
};

void try_mutants(const char* what, const std::string& valid, std::uint32_t seed,
                 const std::function<std::string(const std::string&)>& file_of) {
  ASSERT_EQ(try_torch(file_of(valid)), TorchOutcome::Accepted);
  TorchMutator mutant(seed);
  int accepted = 0;
  const int rounds = tests::fuzz_rounds(10'000);
  for (int i = 0; i < rounds; ++i) accepted += try_torch(file_of(mutant(valid))) == TorchOutcome::Accepted;
  std::printf("%d mutants of %s: %d accepted, the others refused\n", rounds, what, accepted);
  EXPECT_GT(accepted, rounds / 200) << "mutants never reach the end of the reader";
  EXPECT_LT(accepted, rounds * 3 / 4) << "mutants hardly change anything";
}

TEST(TorchFileFuzz, MutantsOfThePickleAreRefusedOrSound) {
  try_mutants("a torch pickle", rich_pickle(), 20250101, with_pickle);
}
TEST(TorchFileFuzz, MutantsOfTheZipFileAreRefusedOrSound) {
  try_mutants("a torch zip file", with_pickle(rich_pickle()), 20250102, [](const std::string& bytes) {
    return "PK\x03\x04" + bytes.substr(std::min<std::size_t>(4, bytes.size()));
  });
}
TEST(TorchFileFuzz, MutantsOfTheOlderFormatAreRefusedOrSound) {
  const std::string valid = legacy_file(rich_pickle());
  try_mutants("an older torch file", valid, 20250103, [&](const std::string& bytes) {
    return valid.substr(0, 15) + bytes.substr(std::min<std::size_t>(15, bytes.size()));
  });
}

TEST(TorchFileFuzz, EveryTruncationIsRefused) {
  const std::string zip = with_pickle(rich_pickle()), legacy = legacy_file(rich_pickle());
  for (std::size_t n = 4; n < zip.size(); ++n) EXPECT_EQ(try_torch(zip.substr(0, n)), TorchOutcome::Refused) << n;
  for (std::size_t n = 15; n < legacy.size(); ++n)
    EXPECT_EQ(try_torch(legacy.substr(0, n)), TorchOutcome::Refused) << n;
}

}  // namespace
}  // namespace diopter::weights
