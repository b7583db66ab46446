// Files of llama2.c made by hand: places and row order of tensors, and mutations, each refused or sound.
#include "weights/llama2c_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>

#include "core/weights/files.hpp"
#include "core/weights/torch_bytes.hpp"
#include "environment.hpp"

namespace diopter::weights {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::le;
using testing::refusal;

// dim 8, hidden 3, one layer, two heads of 4, one of them for keys, 5 tokens, 6 positions; the floats count from 0.
constexpr int kEmbed = 40, kQ = 64, kKv = 32, kHidden = 24, kTables = 24;

std::string floats(int count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0F);
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string sizes(std::int32_t vocabulary) {
  std::string out;
  for (const std::int32_t size : {8, 3, 1, 2, 1, vocabulary, 6}) out += le(static_cast<std::uint32_t>(size), 4);
  return out;
}

constexpr int kBlock = 8 + kQ + kKv + kKv + kQ + 8 + 3 * kHidden;
std::string version0(bool tied) {
  return sizes(tied ? 5 : -5) + floats(kEmbed + kBlock + 8 + kTables + (tied ? 0 : kEmbed));
}
std::string version1() {
  std::string header = "24ka" + le(1, 4) + sizes(5) + "\x01";
  header.resize(256);
  return header + floats(kEmbed + kBlock + 8);
}

float at(const TensorView& view, std::size_t index) {
  float value = 0;
  std::memcpy(&value, view.bytes.data() + index * sizeof value, sizeof value);
  return value;
}

Llama2cFile read_llama(const std::string& bytes) { return read_llama2c_file(bytes, nullptr, "m.bin"); }

TEST(Llama2cFile, TensorsLieWhereTheFormatSays) {
  const std::string bytes = version0(false);
  const Llama2cFile file = read_llama(bytes);
  EXPECT_EQ(file.tensors.size(), 12U);
  EXPECT_EQ(at(file.tensors.at("model.embed_tokens.weight"), 0), 0);
  EXPECT_EQ(at(file.tensors.at("model.layers.0.input_layernorm.weight"), 0), kEmbed);
  const int v = kEmbed + 8 + kQ + kKv, down = v + kKv + kQ + 8 + kHidden;
  EXPECT_EQ(at(file.tensors.at("model.layers.0.self_attn.v_proj.weight"), 0), v);
  EXPECT_EQ(at(file.tensors.at("model.layers.0.mlp.down_proj.weight"), 0), down);
  EXPECT_THAT(file.tensors.at("model.layers.0.mlp.down_proj.weight").shape, ElementsAre(8, 3));
  EXPECT_EQ(at(file.tensors.at("model.norm.weight"), 0), kEmbed + kBlock);
  EXPECT_EQ(at(file.tensors.at("lm_head.weight"), 0), kEmbed + kBlock + 8 + kTables) << "behind the tables";
  EXPECT_FALSE(file.config["tie_word_embeddings"]);
  EXPECT_EQ(file.config["vocab_size"], 5);
  const std::string tied = version1();
  const Llama2cFile newer = read_llama(tied);
  EXPECT_EQ(newer.tensors.size(), 11U);
  EXPECT_EQ(at(newer.tensors.at("model.norm.weight"), 0), 16) << "norms first";
  EXPECT_EQ(at(newer.tensors.at("model.embed_tokens.weight"), 0), 24);
  EXPECT_TRUE(newer.config["tie_word_embeddings"]);
}

// Neighbours 0 1 2 3 of a head of four become the halves 0 2 | 1 3.
TEST(Llama2cFile, RowsOfQueriesAndKeysStandInHalves) {
  const std::string bytes = version0(true);
  const Llama2cFile file = read_llama(bytes);
  const TensorView& q = file.tensors.at("model.layers.0.self_attn.q_proj.weight");
  const float first = kEmbed + 8;
  std::vector<float> rows;
  for (std::size_t row = 0; row < 8; ++row) rows.push_back((at(q, row * 8) - first) / 8);
  EXPECT_THAT(rows, ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
  EXPECT_EQ(at(file.tensors.at("model.layers.0.self_attn.k_proj.weight"), 8), first + kQ + 16);
  EXPECT_TRUE(q.bytes.data() < bytes.data() || q.bytes.data() >= bytes.data() + bytes.size()) << "a copy";
}

TEST(Llama2cFile, HeadersThatCannotBeAreRefused) {
  EXPECT_THAT(refusal([] { read_llama(version0(true) + "x"); }), HasSubstr("for the sizes in its header"));
  EXPECT_THAT(refusal([] { read_llama("24ka" + le(2, 4) + std::string(300, '\0')); }), HasSubstr("got 2"));
  EXPECT_THAT(refusal([] { read_llama("24ka"); }), HasSubstr("a header of 256 bytes"));
  EXPECT_THAT(refusal([] { read_llama(std::string(28, '\1')); }), HasSubstr("expected sizes of 1 to"));
}

TEST(Llama2cFileFuzz, MutantsAreRefusedOrSound) {
  std::mt19937 random(11);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  int accepted = 0, sum = 0;  // sum: the sanitizer sees what lies outside
  const int rounds = tests::fuzz_rounds(3'000);
  for (int i = 0; i < rounds; ++i) {
    std::string mutant = i % 2 == 0 ? version0(i % 4 == 0) : version1();
    for (std::size_t n = 1 + below(3); n > 0; --n) {
      if (below(3) == 0) mutant.resize(mutant.size() - below(9));
      else mutant[below(below(2) == 0 ? 40 : mutant.size())] = static_cast<char>(below(256));
    }
    try {
      const Llama2cFile file = read_llama(mutant);
      for (const auto& [name, view] : file.tensors) {
        std::uint64_t size = 4;
        for (const std::int64_t n : view.shape) size *= static_cast<std::uint64_t>(n);
        ASSERT_EQ(view.bytes.size(), size);
        sum += static_cast<unsigned char>(view.bytes.front()) + static_cast<unsigned char>(view.bytes.back());
      }
      ++accepted;
    } catch (const base::UserError& error) {
      EXPECT_EQ(error.exit(), base::Exit::Refused);
      EXPECT_LT(std::string(error.what()).size(), 400U);
    }
  }
  std::printf("%d mutants of llama2.c files: %d accepted, the others refused\n", rounds, accepted);
  EXPECT_GT(accepted, rounds / 50);
  EXPECT_GE(sum, 0);
}

}  // namespace
}  // namespace diopter::weights
