// What normalisation makes of a text, and which part of the original each piece of it came from.
#include "text/normaliser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "small_model.hpp"
#include "text/pattern.hpp"

namespace diopter::text {
namespace {

using testing::ElementsAre;

struct Normalised {
  std::string text;
  std::vector<Span> origins;  // of each byte
};

Normalised normalised(std::vector<NormaliserStep> steps, const std::string& text) {
  AlignedText aligned;
  aligned.start(text, {0, text.size()}, Track::Yes);
  Normaliser(std::move(steps)).apply(aligned);
  Normalised out{std::string(aligned.text()), {}};
  for (std::size_t i = 0; i < out.text.size(); ++i) out.origins.push_back(aligned.origin(i, i + 1));
  return out;
}

Replace replace_all(const std::string& pattern, const std::string& content) {
  return {std::make_shared<const Regex>(pcre2_pattern(pattern), Regex::Source::File), content};
}

TEST(Normaliser, ComposesAndDecomposes) {
  const auto composed = normalised({NormalForm::C}, "e\u0301x");
  EXPECT_EQ(composed.text, "\u00e9x");
  EXPECT_THAT(composed.origins, ElementsAre(Span{0, 1}, Span{0, 1}, Span{3, 4}));
  const auto parts = normalised({NormalForm::D}, "\u00e9x");
  EXPECT_EQ(parts.text, "e\u0301x");
  EXPECT_THAT(parts.origins, ElementsAre(Span{0, 2}, Span{0, 2}, Span{0, 2}, Span{2, 3}));
  EXPECT_EQ(normalised({NormalForm::KC}, "\ufb01\u2460").text, "fi1");
  EXPECT_EQ(normalised({NormalForm::C}, "\u1112\u1161\u11ab").text, "\ud55c");
  EXPECT_EQ(normalised({NormalForm::C}, "a\u0323\u0307").text, "\u1ea1\u0307");
}

TEST(Normaliser, CharactersNewerThanUnicode9Stay) {
  EXPECT_EQ(normalised({NormalForm::KC}, "\u32ff").text, "\u32ff");
  EXPECT_EQ(normalised({NormalForm::KC}, "\u32fe").text, "\u30f2");
}

TEST(Normaliser, PrependsAndReplaces) {
  const auto marked = normalised({Prepend{"\u2581"}, replace_all(" ", "\u2581")}, "a b");
  EXPECT_EQ(marked.text, "\u2581a\u2581b");
  EXPECT_EQ(marked.origins[0], (Span{0, 1}));  // what is put first belongs to what follows it
  EXPECT_EQ(marked.origins[4], (Span{1, 2}));
  EXPECT_EQ(normalised({Prepend{"x"}}, "").text, "");
  const auto collapsed = normalised({replace_all(" {2,}", "-")}, "a   b");
  EXPECT_EQ(collapsed.text, "a-b");
  EXPECT_EQ(collapsed.origins[1], (Span{3, 4}));  // the last character of the match
}

TEST(Normaliser, StripsLowersAndDropsMarks) {
  EXPECT_EQ(normalised({StripSpace{true, true}}, " \u3000a b\n").text, "a b");
  EXPECT_EQ(normalised({StripSpace{true, true}}, "  ").text, "");
  EXPECT_EQ(normalised({LowerCase{}}, "\u0130\u1e9eA").text, "i\u0307\u00dfa");
  EXPECT_EQ(normalised({NormalForm::D, DropMarks{}}, "\u00e9\u0941").text, "e");
  EXPECT_EQ(normalised({CleanForTranslation{}}, "a\x01\tb\u200b").text, "a b ");
}

TEST(Normaliser, AppliesSentencePiecesRules) {
  const auto rules = Charsmap::parse(small_rules());
  ASSERT_TRUE(rules);
  const auto out = normalised({*rules}, "xA\u0301A");
  EXPECT_EQ(out.text, "xaa");  // "A\u0301" is one grapheme of three bytes, and a prefix of it has a rule
  EXPECT_THAT(out.origins, ElementsAre(Span{0, 1}, Span{1, 2}, Span{4, 5}));
  EXPECT_FALSE(Charsmap::parse(small_rules().substr(0, 100)));
}

TEST(Normaliser, Base64) {
  for (const std::string bytes : {"", "a", "ab", "abc", "\xFF\xFE\xFD\xFC"}) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
  EXPECT_EQ(to_base64("ab"), "YWI=");
  EXPECT_EQ(from_base64("YWI"), std::nullopt);
  EXPECT_EQ(from_base64("Y?I="), std::nullopt);
}

}  // namespace
}  // namespace diopter::text
