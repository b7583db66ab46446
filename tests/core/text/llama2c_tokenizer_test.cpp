#include "text/llama2c_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>

#include "base/error.hpp"
#include "environment.hpp"
#include "text/sentencepiece_file.hpp"
#include "text/tokenizer.hpp"

namespace diopter::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string llama2c_piece(float score, const std::string& text) {
  std::string out(8, '\0');
  const auto length = static_cast<std::int32_t>(text.size());
  std::memcpy(out.data(), &score, 4);
  std::memcpy(out.data() + 4, &length, 4);
  return out + text;
}

// <unk>, BOS, EOS, bytes, then: "h" 259, "e" 260, " " 261, "he" 262, " he" 263, "hee" 264.
std::string llama2c_file() {
  std::string out = std::string("\x07\0\0\0", 4) + llama2c_piece(0, "<unk>") + llama2c_piece(0, "\n<s>\n") +
                    llama2c_piece(0, "\n</s>\n");
  for (int byte = 0; byte < 256; ++byte) {
    char name[16];
    std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
    out += llama2c_piece(0, name);
  }
  return out + llama2c_piece(-5, "h") + llama2c_piece(-6, "e") + llama2c_piece(-7, " ") + llama2c_piece(-1, "he") +
         llama2c_piece(-2, " he") + llama2c_piece(-0.5F, "hee");
}

Tokenizer llama2c_tokenizer(const std::string& bytes) {
  return Tokenizer::parse(sentencepiece_document(llama2c_as_sentencepiece(bytes, "t.bin"), "t.bin").dump(), "t.bin");
}

std::string llama2c_refusal(const std::string& bytes) {
  try {
    llama2c_as_sentencepiece(bytes, "t.bin");
  } catch (const base::UserError& error) {
    EXPECT_EQ(error.exit(), base::Exit::Refused);
    return error.what();
  }
  return "accepted";
}

// By hand, as encode() of llama2.c's run.c does it: a space first, then the best-scored pair, again and again.
TEST(Llama2cTokenizer, MergesTheBestScoredPairFirst) {
  const Tokenizer tokenizer = llama2c_tokenizer(llama2c_file());
  EXPECT_EQ(tokenizer.size(), 265);
  EXPECT_THAT(tokenizer.encode("he"), ElementsAre(263));
  EXPECT_THAT(tokenizer.encode("hee"), ElementsAre(261, 264)) << "hee (-0.5) before ' he' (-2)";
  EXPECT_THAT(tokenizer.encode("hAe"), ElementsAre(261, 259, 3 + 'A', 260)) << "a byte for what has no piece";
  EXPECT_THAT(tokenizer.encode("he  e"), ElementsAre(263, 261, 261, 260)) << "spaces stay";
  EXPECT_EQ(tokenizer.bos(), 1);
  EXPECT_EQ(tokenizer.eos(), 2);
  EXPECT_EQ(tokenizer.decode(std::vector<std::int64_t>{263, 3 + 'A', 260}), "heAe");
}

TEST(Llama2cTokenizer, DefectsAreRefused) {
  const std::string good = llama2c_file();
  EXPECT_THAT(llama2c_refusal("\x01"), HasSubstr("expected at least 4 bytes"));
  EXPECT_THAT(llama2c_refusal(good.substr(0, good.size() - 1)), HasSubstr("expected piece 264 to end within the file"));
  EXPECT_THAT(llama2c_refusal(good.substr(0, 101)), HasSubstr("to end within the file"));
  std::string changed = good;
  changed.replace(8, 4, "\xff\xff\xff\xff");
  EXPECT_THAT(llama2c_refusal(changed), HasSubstr("expected piece 0 to end within the file"));
  changed.replace(8, 4, "\xff\xff\xff\x7f");
  EXPECT_THAT(llama2c_refusal(changed), HasSubstr("expected piece 0 to end within the file"));
  EXPECT_THAT(llama2c_refusal(std::string(4, '\0') + llama2c_piece(0, "<unk>")), HasSubstr("got 1 pieces"));
}

TEST(Llama2cTokenizerFuzz, MutantsAreRefusedOrTokenizers) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  const std::string good = llama2c_file();
  int accepted = 0;
  const int rounds = tests::fuzz_rounds(300);
  for (int i = 0; i < rounds; ++i) {
    std::string mutant = good;
    for (std::size_t n = 1 + below(3); n > 0; --n) mutant[below(mutant.size())] = static_cast<char>(below(256));
    try {
      const Tokenizer tokenizer = llama2c_tokenizer(mutant);
      tokenizer.decode(tokenizer.encode("he hee"));
      ++accepted;
    } catch (const base::UserError& error) {
      EXPECT_EQ(error.exit(), base::Exit::Refused);
    }
  }
  std::printf("%d mutants of a tokenizer of llama2.c: %d accepted, the others refused\n", rounds, accepted);
  EXPECT_GT(accepted, rounds / 100);
}

}  // namespace
}  // namespace diopter::text
