#include "lexicon.hpp"

#include <string_view>

#include <toml++/toml.h>
#include <diopter/error.hpp>

namespace training {
namespace {

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file) {
    try {
      root_ = toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
      throw diopter::Error("cannot read the lexicon " + file.string() + ": " + std::string(error.description()) +
                           " (line " + std::to_string(error.source().begin.line) + ").");
    }
  }

  Words words(const char* section, const char* key) const {
    Words out;
    for (const toml::node& node : list(section, key)) out.push_back(text(node, section, key));
    return out;
  }

  // Rows of `width` strings.
  std::vector<Words> rows(const char* section, const char* key, std::size_t width) const {
    std::vector<Words> out;
    for (const toml::node& node : list(section, key)) {
      const toml::array* cells = node.as_array();
      if (!cells || cells->size() != width) fail(section, key, "rows of " + std::to_string(width) + " strings");
      Words row;
      for (const toml::node& cell : *cells) row.push_back(text(cell, section, key));
      out.push_back(std::move(row));
    }
    return out;
  }

  std::string word(const char* section, const char* key) const {
    const auto value = root_[section][key].value<std::string>();
    if (!value) fail(section, key, "a string");
    return *value;
  }

  std::int64_t number(const char* section, const char* key) const {
    const auto value = root_[section][key].value<std::int64_t>();
    if (!value || *value < 0) fail(section, key, "a number that is not negative");
    return *value;
  }

  std::vector<std::int64_t> numbers(const char* section, const char* key) const {
    std::vector<std::int64_t> out;
    for (const toml::node& node : list(section, key)) {
      const auto value = node.value<std::int64_t>();
      if (!value || *value < 0) fail(section, key, "a list of numbers that are not negative");
      out.push_back(*value);
    }
    return out;
  }

 private:
  [[noreturn]] void fail(const char* section, const char* key, const std::string& expected) const {
    throw diopter::Error("the lexicon " + file_.string() + " needs " + expected + " as '" + key + "' in [" + section +
                         "].");
  }
  const toml::array& list(const char* section, const char* key) const {
    const toml::array* array = root_[section][key].as_array();
    if (!array || array->empty()) fail(section, key, "a list");
    return *array;
  }
  std::string text(const toml::node& node, const char* section, const char* key) const {
    const auto value = node.value<std::string>();
    if (!value) fail(section, key, "strings");
    return *value;
  }

  std::filesystem::path file_;
  toml::table root_;
};

Words interleaved(const Words& first, const Words& second) {
  Words out;
  for (std::size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    out.push_back(first[i]);
    out.push_back(second[i]);
  }
  return out;
}

void read_facts(const Reader& in, Lexicon& out) {
  for (const Words& r : in.rows("landmarks", "facts", 3)) out.landmarks.push_back({r[0], r[1], r[2]});
  for (const Words& r : in.rows("capitals", "facts", 3)) out.capitals.push_back({r[0], r[1], r[2]});
  for (const Words& r : in.rows("prizes", "facts", 2)) out.prizes.push_back({r[0], r[1]});
  out.landmark_templates = in.words("landmarks", "templates");
  out.capital_templates = in.words("capitals", "templates");
  out.prize_templates = in.words("prizes", "templates");
}

void read_grammar(const Reader& in, Lexicon& out) {
  out.male_roles = in.words("pronouns", "male");
  out.female_roles = in.words("pronouns", "female");
  out.neutral_roles = in.words("pronouns", "neutral");
  out.states = in.words("pronouns", "states");
  out.pronoun_templates = in.words("pronouns", "templates");
  for (const Words& r : in.rows("agreement", "nouns", 2)) out.nouns.push_back({r[0], r[1]});
  out.prepositions = in.words("agreement", "prepositions");
  out.adjectives = in.words("agreement", "adjectives");
  out.verbs_singular = in.words("agreement", "verbs_singular");
  out.verbs_plural = in.words("agreement", "verbs_plural");
  for (const Words& r : in.rows("tense", "verbs", 4)) out.verbs.push_back({r[0], r[1], r[2], r[3]});
  out.past_adverbs = in.words("tense", "past");
  out.future_adverbs = in.words("tense", "future");
  out.present_adverbs = in.words("tense", "present");
  out.subjects = in.words("tense", "subjects");
  out.pronoun_subjects = static_cast<std::int64_t>(out.subjects.size());
  out.subjects.insert(out.subjects.end(), out.names.begin(), out.names.end());
}

void read_words(const Reader& in, Lexicon& out) {
  for (const Words& r : in.rows("pairs", "rows", 4)) out.pairs.push_back({r[0], r[1], r[2], r[3]});
  out.antonym_header = in.word("pairs", "antonym_header");
  out.german_header = in.word("pairs", "german_header");
  out.relation_templates = in.words("relation", "templates");
  out.sentiment[0] = {in.words("sentiment", "positive"), in.words("sentiment", "positive_verbs"),
                      in.words("sentiment", "positive_answers")};
  out.sentiment[1] = {in.words("sentiment", "negative"), in.words("sentiment", "negative_verbs"),
                      in.words("sentiment", "negative_answers")};
  out.answer_weights = in.numbers("sentiment", "answer_weights");
  out.items = in.words("sentiment", "items");
  out.sentiment_templates = in.words("sentiment", "templates");
}

void read_story(const Reader& in, Lexicon& out) {
  out.animals = in.words("story", "animals");
  out.colours = in.words("story", "colors");
  out.weather = in.words("story", "weather");
  out.food = in.words("story", "food");
  out.jobs = in.words("story", "jobs");
  out.counts = in.words("story", "counts");
  out.story_openings = in.words("story", "openings");
  out.story_sentences = in.words("story", "sentences");
}

}  // namespace

const std::string& Lexicon::pair_word(std::int64_t index) const {
  const PairRow& row = pairs[static_cast<std::size_t>(index / 2)];
  return index % 2 == 0 ? row.word : row.antonym;
}

const std::string& Lexicon::antonym(std::int64_t index) const { return pair_word(index ^ 1); }

const std::string& Lexicon::german(std::int64_t index) const {
  const PairRow& row = pairs[static_cast<std::size_t>(index / 2)];
  return index % 2 == 0 ? row.german : row.german_of_antonym;
}

Lexicon read_lexicon(const std::filesystem::path& file) {
  const Reader in(file);
  Lexicon out;
  out.names = interleaved(in.words("names", "female"), in.words("names", "male"));
  out.places = in.words("ioi", "places");
  out.objects = in.words("ioi", "objects");
  out.ioi_templates = in.words("ioi", "templates");
  read_facts(in, out);
  read_grammar(in, out);
  read_words(in, out);
  read_story(in, out);
  constexpr const char* kKeys[] = {"ioi",   "land",  "cap", "prize", "pron",  "agree",
                                   "tense", "lists", "rel", "sent",  "story", "induct"};
  for (std::size_t kind = 0; kind < out.mixture.size(); ++kind) out.mixture[kind] = in.number("mixture", kKeys[kind]);
  return out;
}

}  // namespace training
