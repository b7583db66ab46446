// Ids, spans and decoded texts are those of the tokenizers library, on 20,000 random strings each.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <functional>
#include <iostream>
#include <map>

#include "base/files.hpp"
#include "base/utf8.hpp"
#include "oracle_files.hpp"
#include "text/normaliser.hpp"
#include "text/tokenizer.hpp"
#include "text/unicode.hpp"

namespace diopter::text {
namespace {

using base::Json;

struct Tally {
  std::size_t strings = 0, ids = 0, mismatches = 0;
};

void show(const std::string& name, const std::map<std::string, Tally>& tallies) {
  Tally sum;
  for (const auto& [kind, tally] : tallies) {
    sum.strings += tally.strings, sum.ids += tally.ids, sum.mismatches += tally.mismatches;
  }
  std::cout << name << ": " << sum.strings << " strings, " << sum.ids << " ids, " << sum.mismatches << " mismatches\n";
  for (const auto& [kind, tally] : tallies) {
    std::cout << "  " << kind << ": " << tally.strings << " strings, " << tally.ids << " ids, " << tally.mismatches
              << " mismatches\n";
  }
}

std::vector<std::int64_t> ids_of(const Json& row) { return row.at("ids").get<std::vector<std::int64_t>>(); }

class TextOracle : public testing::Test {
 protected:
  void for_each_tokenizer(const std::function<void(const std::string&, const Tokenizer&, const Json&)>& check) {
    for (const Json& entry : Json::parse(base::read_file(folder_ / "index.json"))) {
      check(entry.at("name"), Tokenizer::load(entry.at("file").get<std::string>()), entry);
    }
  }

  const std::filesystem::path folder_ = oracle_folder("text");
};

TEST_F(TextOracle, EncodesAndDecodesAsTokenizersDoes) {
  DIOPTER_NEEDS_ORACLE("text");
  const auto strings = read_lines(folder_ / "strings.jsonl");
  ASSERT_EQ(strings.size(), 20'000u);
  for_each_tokenizer([&](const std::string& name, const Tokenizer& tokenizer, const Json&) {
    const auto expected = read_lines(folder_ / (name + ".encode.jsonl"));
    ASSERT_EQ(expected.size(), strings.size());
    std::map<std::string, Tally> tallies;
    int shown = 0;
    for (std::size_t i = 0; i < strings.size(); ++i) {
      const std::string text = strings[i].at("text");
      const Encoded got = tokenizer.encode_with_spans(text);
      Json spans = Json::array();
      for (const Span& span : got.spans) spans.push_back(span.begin), spans.push_back(span.end);
      const Json& decoded = expected[i].at("decoded");
      const bool same = got.ids == ids_of(expected[i]) && spans == expected[i].at("spans") &&
                        tokenizer.encode(text) == got.ids &&
                        tokenizer.decode(got.ids) == (decoded.is_null() ? text : decoded.get<std::string>());
      Tally& tally = tallies[strings[i].at("class")];
      ++tally.strings, tally.ids += got.ids.size(), tally.mismatches += !same;
      if (!same && ++shown <= 5) {
        ADD_FAILURE() << name << ", string " << i << ": '" << base::printable(text) << "'\n got  " << Json(got.ids)
                      << " " << spans << " '" << tokenizer.decode(got.ids) << "'\n want " << expected[i];
      }
    }
    show(name, tallies);
  });
}

TEST_F(TextOracle, DecodesRandomIdsAsTokenizersDoes) {
  DIOPTER_NEEDS_ORACLE("text");
  std::size_t compared = 0, with_replacement = 0;
  for_each_tokenizer([&](const std::string& name, const Tokenizer& tokenizer, const Json&) {
    for (const Json& row : read_lines(folder_ / (name + ".decode.jsonl"))) {
      const auto ids = ids_of(row);
      EXPECT_EQ(tokenizer.decode(ids), row.at("kept").get<std::string>()) << name << " " << row;
      EXPECT_EQ(tokenizer.decode(ids, SpecialTokens::Skip), row.at("skipped").get<std::string>()) << name << " " << row;
      ++compared;
      with_replacement += row.at("kept").get<std::string>().find("\uFFFD") != std::string::npos;
    }
  });
  std::cout << compared << " id lists decoded, " << with_replacement << " of them ill-formed UTF-8\n";
}

TEST_F(TextOracle, FrameIsWhatThePostProcessorAdds) {
  DIOPTER_NEEDS_ORACLE("text");
  for_each_tokenizer([&](const std::string& name, const Tokenizer& tokenizer, const Json& entry) {
    EXPECT_EQ(Json(tokenizer.ids_before()), entry.at("before")) << name;
    EXPECT_EQ(Json(tokenizer.ids_after()), entry.at("after")) << name;
  });
}

// The character classes, over every code point there is.
TEST_F(TextOracle, CharacterClassesAreThoseOfTokenizers) {
  DIOPTER_NEEDS_ORACLE("text");
  const Json classes = Json::parse(base::read_file(folder_ / "classes.json"));
  const Regex letter("[" + letters() + "]"), number("[" + numbers() + "]"), space("[" + white_space() + "]");
  Regex::Workspace workspace;
  const auto in = [&](const Regex& pattern) {
    return [&](const std::string& c) { return pattern.find(c, 0, workspace).has_value(); };
  };
  const auto first = [](bool (*is)(char32_t)) {
    return [is](const std::string& c) { return is(base::code_points(c)[0]); };
  };
  const std::map<std::string, std::function<bool(const std::string&)>> ours = {
      {"letters", in(letter)},       {"numbers", in(number)},   {"white_space", in(space)},
      {"word", starts_with_word},    {"marks", first(is_mark)}, {"punctuation", first(is_punctuation)},
      {"numeric", first(is_numeric)}};
  for (const auto& [name, contains] : ours) {
    std::vector<bool> expected(0x110000);
    for (const auto& range : classes.at(name)) {
      for (std::size_t c = range[0]; c <= range[1].get<std::size_t>(); ++c) expected[c] = true;
    }
    std::size_t members = 0, different = 0;
    std::string some;
    for (char32_t c = 0; c < 0x110000; ++c) {
      if (c >= 0xd800 && c < 0xe000) continue;
      members += expected[c];
      if (contains(base::to_utf8(c)) == expected[c]) continue;
      if (++different <= 400) some += fmt::format(" {:X}", static_cast<unsigned>(c));
    }
    std::cout << name << ": " << members << " members of 1112064 code points, " << different << " differences\n";
    EXPECT_EQ(different, 0u) << name << ":" << some;
  }
}

TEST_F(TextOracle, NormalFormsAreThoseOfTokenizers) {
  DIOPTER_NEEDS_ORACLE("text");
  const std::map<std::string, NormaliserStep> ours = {{"nfc", NormalForm::C},
                                                      {"nfd", NormalForm::D},
                                                      {"nfkc", NormalForm::KC},
                                                      {"nfkd", NormalForm::KD},
                                                      {"lower", LowerCase{}}};
  std::size_t compared = 0, different = 0;
  for (const Json& row : read_lines(folder_ / "forms.jsonl")) {
    const std::string text = row.at("text");
    for (const auto& [name, step] : ours) {
      const std::string got = Normaliser({step}).apply(text);
      ++compared;
      if (got == row.at(name).get<std::string>()) continue;
      if (++different <= 20)
        ADD_FAILURE() << name << " of " << Json(text).dump(-1, ' ', true) << ": got " << Json(got).dump(-1, ' ', true)
                      << ", want " << row.at(name).dump(-1, ' ', true);
    }
  }
  std::cout << compared << " normal forms, " << different << " differences\n";
  EXPECT_EQ(different, 0u);
}

}  // namespace
}  // namespace diopter::text
