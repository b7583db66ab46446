// Seeded mutations of tokenizer.json and tokenizer.model, and random texts: a UserError or a tokenizer that works,
// nothing else.
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "environment.hpp"
#include "small_model.hpp"
#include "small_tokenizer.hpp"
#include "text/charsmap.hpp"
#include "text/sentencepiece_file.hpp"
#include "text/tokenizer.hpp"

namespace diopter::text {
namespace {

using base::Json;
using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) { return static_cast<std::size_t>(random() % limit); }

// All that a file may hold, in one.
Json rich_document() {
  Json document = small_document();
  document["added_tokens"].push_back(added_token(263, "<mask>"));
  document["added_tokens"].push_back(added_token(264, "hello"));
  document["added_tokens"][1]["lstrip"] = document["added_tokens"][1]["rstrip"] = true;
  document["added_tokens"][2]["single_word"] = document["added_tokens"][2]["normalized"] = true;
  document["pre_tokenizer"]["add_prefix_space"] = true;
  document["post_processor"] = {
      {"type", "Sequence"},
      {"processors",
       {document["pre_tokenizer"],
        {{"type", "TemplateProcessing"},
         {"single",
          {{{"SpecialToken", {{"id", "<mask>"}, {"type_id", 0}}}}, {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
         {"pair", Json::array()},
         {"special_tokens", {{"<mask>", {{"id", "<mask>"}, {"ids", {263}}, {"tokens", {"<mask>"}}}}}}}}}};
  return document;
}

// SentencePiece's kind, with every normaliser, pre-tokeniser and decoder in it.
Json rich_unigram() {
  const auto replace = [](const char* pattern, const char* content) -> Json {
    return {{"type", "Replace"}, {"pattern", {{"Regex", pattern}}}, {"content", content}};
  };
  SmallModel model = small_spelling_model();
  model.type = 1;
  model.rules = small_rules();
  Json document = sentencepiece_document(model.bytes(), "rich");
  auto& normalizers = document["normalizer"]["normalizers"];
  normalizers[0]["precompiled_charsmap"] = to_base64(small_rules());
  for (const char* type : {"NFC", "NFKD", "Lowercase", "StripAccents", "Nmt"}) normalizers.push_back({{"type", type}});
  normalizers.push_back({{"type", "Strip"}, {"strip_left", true}, {"strip_right", false}});
  normalizers.push_back(replace("[\\p{Lu}\\s]{2,3}(?!x)|(?i:zz)", "\u2581"));
  document["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "WhitespaceSplit"}},
        {{"type", "Punctuation"}, {"behavior", "MergedWithNext"}},
        {{"type", "Digits"}, {"individual_digits", true}},
        {{"type", "Split"}, {"pattern", {{"String", "e"}}}, {"behavior", "MergedWithPrevious"}, {"invert", true}},
        {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "first"}, {"split", true}}}}};
  document["decoder"]["decoders"].push_back(
      {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}, {"split", true}});
  document["added_tokens"][2]["normalized"] = document["added_tokens"][2]["lstrip"] = true;
  return document;
}

std::string mutated_bytes(Random& random, std::string text) {
  static const std::string kHostile[] = {"\"",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "null",
                                         "true",
                                         "-1",
                                         "1e999",
                                         "\\ud800",
                                         "\xFF",
                                         "\xED\xA0\x80",
                                         std::string(1, '\0'),
                                         "18446744073709551616",
                                         "\\u0000"};
  for (std::size_t edits = 1 + below(random, 4); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = below(random, text.size());
    switch (below(random, 6)) {
      case 0: text[at] = static_cast<char>(random()); break;
      case 1: text.erase(at, 1 + below(random, 40)); break;
      case 2: text.insert(at, kHostile[below(random, std::size(kHostile))]); break;
      case 3: text.insert(at, text.substr(below(random, text.size()), below(random, 60))); break;
      case 4: text.resize(at); break;
      default: text[at] = text[below(random, text.size())];
    }
  }
  return text;
}

Json* random_place(Random& random, Json& document) {
  Json* at = &document;
  while (at->is_structured() && !at->empty() && (at == &document || below(random, 5) != 0)) {
    auto item = at->begin();
    std::advance(item, static_cast<std::ptrdiff_t>(below(random, at->size())));
    at = &*item;
  }
  return at;
}

// Well-formed JSON whose values changed places, types or ranges.
std::string mutated_values(Random& random, Json document) {
  static const Json kHostile[] = {nullptr,
                                  true,
                                  false,
                                  0,
                                  -1,
                                  1,
                                  263,
                                  300,
                                  4194303,
                                  4194304,
                                  1e300,
                                  0.5,
                                  "",
                                  " ",
                                  "he",
                                  "ByteLevel",
                                  "Sequence",
                                  "\u0120",
                                  Json::array(),
                                  Json::object(),
                                  Json::array({"h", "e"})};
  for (std::size_t edits = 1 + below(random, 3); edits > 0; --edits) {
    Json* place = random_place(random, document);
    switch (below(random, 4)) {
      case 0: *place = kHostile[below(random, std::size(kHostile))]; break;
      case 1: *place = Json(*random_place(random, document)); break;
      case 2:
        if (place->is_structured()) place->clear();
        break;
      default:
        if (place->is_number_integer()) *place = place->get<std::int64_t>() + 1;
        if (place->is_boolean()) *place = !place->get<bool>();
        if (place->is_string()) *place = place->get<std::string>() + "e";
    }
  }
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const char* const kTexts[] = {"", "hello the he<|endoftext|>ll", " <mask>  hello,hello \u00e9\u20ac\u3000",
                              "don't 123 \n\n x"};

bool usable(const std::string& json) {
  try {
    const Tokenizer tokenizer = Tokenizer::parse(json, "mutant");
    for (const char* text : kTexts) {
      try {
        const Encoded encoded = tokenizer.encode_with_spans(text);
        EXPECT_EQ(encoded.ids.size(), encoded.spans.size());
        for (const Span& span : encoded.spans) {
          EXPECT_LE(span.begin, span.end);
          EXPECT_LE(span.end, std::string_view(text).size());
        }
        EXPECT_FALSE(base::invalid_utf8_offset(tokenizer.decode(encoded.ids)));
        EXPECT_EQ(tokenizer.pieces(text).size(), encoded.ids.size());
      } catch (const base::UserError& error) {
        EXPECT_TRUE(error.id() == "tokenizer.missing_byte" || error.id() == "tokenizer.pattern") << error.what();
      }
    }
    return true;
  } catch (const base::UserError& error) {
    EXPECT_FALSE(base::invalid_utf8_offset(error.what())) << error.what();
    return false;
  }
}

void try_mutants(const char* name, const Json& document, std::uint64_t seed) {
  Random random(seed);
  const std::string text = document.dump();
  ASSERT_TRUE(usable(text)) << name;
  const int mutants = tests::fuzz_rounds(4'000);
  int accepted = 0;
  for (int i = 0; i < mutants; ++i) {
    const std::string mutant = i % 2 == 0 ? mutated_bytes(random, text) : mutated_values(random, document);
    SCOPED_TRACE(i);
    ASSERT_NO_THROW(accepted += usable(mutant));
    if (testing::Test::HasFailure()) break;
  }
  std::cout << name << ": " << mutants << " mutants, " << accepted << " usable, " << mutants - accepted << " refused\n";
}

TEST(TokenizerFuzz, MutantsAreRefusedOrUsable) {
  try_mutants("byte-level", rich_document(), 4101);
  try_mutants("SentencePiece BPE", sentencepiece_document(small_spelling_model().bytes(), "rich"), 4102);
  try_mutants("Unigram", rich_unigram(), 4103);
}

TEST(TokenizerFuzz, MutatedModelFilesAreRefusedOrUsable) {
  Random random(4104);
  SmallModel model = small_spelling_model();
  model.rules = small_rules();
  int accepted = 0, refused = 0;
  for (int i = 0; i < tests::fuzz_rounds(4'000); ++i) {
    model.type = 1 + below(random, 2);
    SCOPED_TRACE(i);
    try {
      accepted += usable(sentencepiece_document(mutated_bytes(random, model.bytes()), "mutant").dump());
    } catch (const base::UserError& error) {
      ++refused;
    }
    if (HasFailure()) break;
  }
  std::cout << "tokenizer.model: " << accepted << " usable, " << refused << " refused\n";
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 100);
}

TEST(TokenizerFuzz, DeeplyNestedFilesAreRefused) {
  EXPECT_FALSE(usable(std::string(200'000, '[')));
  EXPECT_FALSE(usable(std::string(100'000, '[') + std::string(100'000, ']')));
}

// Random bytes are refused at the first ill-formed one, or come back unchanged.
TEST(TokenizerFuzz, RandomBytesRoundTripOrAreRefused) {
  Random random(77);
  const Tokenizer tokenizer = Tokenizer::parse(tokenizer_json(small_vocabulary()), "small");
  int encoded = 0, refused = 0;
  for (int i = 0; i < tests::fuzz_rounds(20'000); ++i) {
    std::string text;
    for (std::size_t n = below(random, 24); n > 0; --n) {
      const bool any_byte = below(random, 12) == 0;
      char32_t c = static_cast<char32_t>(random() % (1u << (4 + below(random, 17))));
      if (c >= 0x110000 || (c >= 0xd800 && c < 0xe000)) c = U' ';
      text += any_byte ? std::string(1, static_cast<char>(random())) : base::to_utf8(c);
    }
    const auto bad = base::invalid_utf8_offset(text);
    try {
      const auto ids = tokenizer.encode(text);
      ASSERT_FALSE(bad);
      ASSERT_EQ(tokenizer.decode(ids), text);
      ++encoded;
    } catch (const base::UserError& error) {
      ASSERT_TRUE(bad) << error.what();
      ASSERT_NE(std::string(error.what()).find("at byte " + std::to_string(*bad)), std::string::npos) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(encoded, 5'000);
  EXPECT_GT(refused, 5'000);
}

}  // namespace
}  // namespace diopter::text
