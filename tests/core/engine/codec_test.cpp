// Answers and other single tokens stand after other text: tokenizers that begin a text with a space add none to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <diopter_host/specs.hpp>

#include "core/engine/support.hpp"
#include "engine/codec.hpp"

namespace diopter::engine::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// SentencePiece's kind with two words: "\u2581" stands for a space, and one is put before every text.
std::shared_ptr<const Codec> metaspace() {
  constexpr const char* kJson = R"({
    "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": {"type": "Metaspace", "replacement": "\u2581",
    "prepend_scheme": "always", "split": true},
    "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
              "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
              "vocab": {"\u2581": 0, "h": 1, "e": 2, "\u2581h": 3, "\u2581he": 4, "he": 5},
              "merges": ["\u2581 h", "\u2581h e", "h e"]}})";
  return std::make_shared<const Codec>(text::Tokenizer::parse(kJson, "the test"));
}

TEST(Codec, AnAnswerIsEncodedAsWhatFollows) {
  const auto codec = metaspace();
  EXPECT_THAT(codec->encode("he"), ElementsAre(4));  // a text of its own: " he"
  EXPECT_THAT(codec->continuation("he"), ElementsAre(5));
  EXPECT_THAT(codec->continuation(" he"), ElementsAre(4));
  EXPECT_EQ(single_token(*codec, "he"), 5);
  EXPECT_EQ(single_token(*codec, " he"), 4);
  EXPECT_THAT(error_of([&] { single_token(*codec, " hehe"); }), HasSubstr("is 2 tokens"));
}

}  // namespace
}  // namespace diopter::engine::testing
