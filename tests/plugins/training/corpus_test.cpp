#include "corpus.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "lexicon_here.hpp"
#include "sentences.hpp"

namespace training {
namespace {

// FNV-1a: enough to notice a change.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

TEST(Corpus, FirstDocumentsOfASeedNeverChange) {
  EXPECT_EQ(document_text(lexicon_here(), 1, 1).text, "The capital city of Japan is Tokyo .");
  EXPECT_EQ(document_text(lexicon_here(), 1, 4).text, "The Parthenon is a landmark in the country of Greece.");
  EXPECT_EQ(document_text(lexicon_here(), 1, 20).text,
            "hot : cold , near : far , without : with , short : long , hate : love .");
  std::string all;
  for (std::int64_t d = 0; d < 2000; ++d) all += document_text(lexicon_here(), 1, d).text + "\n";
  EXPECT_EQ(hash_of(all), 16252586593288046209U);
}

TEST(Corpus, IsTheSameTwice) {
  const Corpus a = make_corpus(lexicon_here(), 5, 500), b = make_corpus(lexicon_here(), 5, 500);
  EXPECT_EQ(a.documents.ids, b.documents.ids);
  EXPECT_EQ(a.documents.counted, b.documents.counted);
  EXPECT_EQ(a.tokenizer.json(), b.tokenizer.json());
  EXPECT_NE(a.documents.ids, make_corpus(lexicon_here(), 6, 500).documents.ids);
}

TEST(Corpus, HasTheLengthsOfItsRecipe) {
  const Documents& documents = corpus_here().documents;
  const double mean = static_cast<double>(documents.ids.size()) / static_cast<double>(documents.size());
  EXPECT_NEAR(mean, 25.9, 0.4);
  std::int64_t induction = 0;
  for (std::size_t d = 0; d < documents.kinds.size(); ++d) {
    const std::int64_t length = documents.offsets[d + 1] - documents.offsets[d];
    EXPECT_LE(length, 97);
    if (documents.kinds[d] == Kind::Induction) induction += length;
  }
  EXPECT_NEAR(static_cast<double>(induction) / static_cast<double>(documents.ids.size()), 0.27, 0.012);
}

TEST(Corpus, MixesTheKindsByWeight) {
  std::map<Kind, double> counts;
  for (const Kind kind : corpus_here().documents.kinds) ++counts[kind];
  for (std::size_t k = 0; k < kKinds; ++k) {
    const double share = static_cast<double>(lexicon_here().mixture[k]) / 104.0, n = 20'000;
    EXPECT_NEAR(counts[static_cast<Kind>(k)], n * share, 4 * std::sqrt(n * share)) << kind_name(static_cast<Kind>(k));
  }
}

TEST(Corpus, BeginsAndEndsDocumentsWithTheMark) {
  const Documents& documents = corpus_here().documents;
  for (std::size_t d = 0; d < documents.kinds.size(); ++d) {
    const auto first = static_cast<std::size_t>(documents.offsets[d]),
               last = static_cast<std::size_t>(documents.offsets[d + 1]);
    EXPECT_EQ(documents.ids[first], WordTokenizer::kDocumentEnd);
    EXPECT_EQ(documents.counted[first], 0);
    if (last - first == kLongestDocument) continue;  // cut
    EXPECT_EQ(documents.ids[last - 1], WordTokenizer::kDocumentEnd);
  }
}

TEST(Corpus, CountsOnlyRepeatedIdsInInductionDocuments) {
  const Documents& documents = corpus_here().documents;
  for (std::size_t d = 0; d < documents.kinds.size(); ++d) {
    std::set<std::int32_t> seen;
    for (auto i = static_cast<std::size_t>(documents.offsets[d]);
         i < static_cast<std::size_t>(documents.offsets[d + 1]); ++i) {
      const bool is_new = seen.insert(documents.ids[i]).second,
                 opens = static_cast<std::int64_t>(i) == documents.offsets[d];
      const bool counted = documents.kinds[d] == Kind::Induction ? !is_new : !opens;
      ASSERT_EQ(documents.counted[i] != 0, counted) << "document " << d;
    }
  }
}

TEST(Corpus, WritesHalfOfTheDocumentsSpaced) {
  int spaced_ones = 0, texts = 0;
  for (std::int64_t d = 0; d < 4000; ++d) {
    const std::string text = document_text(lexicon_here(), 9, d).text;
    if (text.empty()) continue;
    ++texts;
    spaced_ones += text.find(" .") != std::string::npos;
    const bool natural = text.find(" .") == std::string::npos && text.find(" ,") == std::string::npos &&
                         text.find(" :") == std::string::npos;
    EXPECT_TRUE(natural || spaced(text) == text) << text;  // one style within a document
  }
  EXPECT_NEAR(static_cast<double>(spaced_ones) / texts, 0.5, 0.04);
}

TEST(Corpus, DrawsInductionWordsFromContentWords) {
  const std::vector<std::int32_t> content = content_words(lexicon_here(), corpus_here().tokenizer);
  EXPECT_GT(content.size(), 430U);
  for (const std::int32_t id : content) EXPECT_EQ(corpus_here().tokenizer.bytes(id).front(), ' ');
}

}  // namespace
}  // namespace training
