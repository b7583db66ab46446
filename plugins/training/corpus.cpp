#include "corpus.hpp"

#include <algorithm>
#include <set>

#include "pre_tokens.hpp"
#include "sentences.hpp"

namespace training {
namespace {

constexpr std::int64_t kProgressEvery = 4096;
constexpr std::uint64_t kInductionStreams = std::uint64_t{1} << 32;  // ids of document i: stream kInductionStreams + i

Kind draw_kind(const Lexicon& lexicon, Rng& rng) { return static_cast<Kind>(rng.weighted(lexicon.mixture)); }

Kind draw_further_kind(const Lexicon& lexicon, Rng& rng) {
  Kind kind;
  do kind = draw_kind(lexicon, rng);
  while (kind == Kind::Lists || kind == Kind::Induction);
  return kind;
}

// Words the tokenizer must have as single tokens however rarely a corpus has them: prompts are made of them.
Words essential_words(const Lexicon& lexicon) {
  std::set<std::string> words;
  const auto add = [&words](const std::string& phrase) {
    const std::string inside = " " + phrase;  // the pieces are views into it
    for (const std::string_view word : pre_tokens(inside)) words.emplace(word);
  };
  const auto add_all = [&add](const Words& list) { std::for_each(list.begin(), list.end(), add); };
  const auto add_opener = [&](const std::string& word) {
    add(word);
    words.insert(word);  // it can open a document
  };
  for (std::int64_t w = 0; w < lexicon.pair_words(); ++w) {
    add_opener(lexicon.pair_word(w));
    add(lexicon.german(w));
  }
  for (const std::string& name : lexicon.names) add_opener(name);
  for (const auto& [country, capital, language] : lexicon.capitals) add_all({country, capital, language});
  for (const auto& [landmark, city, country] : lexicon.landmarks) add_all({city, country});
  for (const auto& [person, field] : lexicon.prizes) add(field);
  for (const Lexicon::Sentiment& side : lexicon.sentiment) {
    add_all(side.adjectives);
    add_all(side.verbs);
    add_all(side.answers);
  }
  add_all(lexicon.male_roles);
  add_all(lexicon.female_roles);
  for (const Lexicon::Verb& verb : lexicon.verbs) add_all({verb.base, verb.past, verb.third_person});
  for (const Lexicon::Noun& noun : lexicon.nouns) add_all({noun.singular, noun.plural});
  return {words.begin(), words.end()};
}

// A target of an induction document counts when its id was there before: nothing can be predicted elsewhere.
void append(Documents& out, Kind kind, const std::vector<std::int32_t>& content) {
  const std::size_t begin = out.ids.size();
  out.ids.push_back(WordTokenizer::kDocumentEnd);
  out.ids.insert(out.ids.end(), content.begin(), content.end());
  out.ids.push_back(WordTokenizer::kDocumentEnd);
  out.ids.resize(std::min(out.ids.size(), begin + kLongestDocument));
  std::set<std::int32_t> seen;
  for (std::size_t i = begin; i < out.ids.size(); ++i) {
    const bool is_new = seen.insert(out.ids[i]).second;
    out.counted.push_back(i > begin && (kind != Kind::Induction || !is_new));
  }
  out.offsets.push_back(std::ssize(out.ids));
  out.kinds.push_back(kind);
}

}  // namespace

DocumentText document_text(const Lexicon& lexicon, std::uint64_t seed, std::int64_t index) {
  Rng rng(seed, static_cast<std::uint64_t>(index));
  const Kind kind = draw_kind(lexicon, rng);
  if (kind == Kind::Induction) return {kind, {}};
  std::string text;
  if (kind != Kind::Lists && rng.chance(0.2)) {  // so that an item is also met away from the first position
    for (std::int64_t more = rng.between(1, 2); more > 0; --more) {
      text += item(draw_further_kind(lexicon, rng), lexicon, rng) + " ";
    }
  }
  text += item(kind, lexicon, rng);
  return {kind, rng.chance(0.5) ? spaced(text) : text};
}

std::vector<std::int32_t> content_words(const Lexicon& lexicon, const WordTokenizer& tokenizer) {
  std::set<std::int32_t> ids;
  const auto add = [&](const std::string& word) { ids.insert(tokenizer.word(" " + word)); };
  const auto add_all = [&](const Words& words) { std::for_each(words.begin(), words.end(), add); };
  add_all(lexicon.names);
  add_all(lexicon.places);
  add_all(lexicon.objects);
  for (std::int64_t w = 0; w < lexicon.pair_words(); ++w) add_all({lexicon.pair_word(w), lexicon.german(w)});
  for (const Lexicon::Sentiment& side : lexicon.sentiment) add_all(side.adjectives);
  for (const auto& [country, capital, language] : lexicon.capitals) add_all({country, capital, language});
  for (const auto& [landmark, city, country] : lexicon.landmarks) add_all({city, country});
  return {ids.begin(), ids.end()};
}

Corpus make_corpus(const Lexicon& lexicon, std::uint64_t seed, std::int64_t documents,
                   const std::function<void(std::int64_t, std::int64_t)>& progress) {
  constexpr std::int64_t kEssentialCount = 40;
  std::vector<DocumentText> texts;
  std::map<std::string, std::int64_t> counts;
  for (const std::string& word : essential_words(lexicon)) counts[word] = kEssentialCount;
  for (std::int64_t d = 0; d < documents; ++d) {
    if (progress && d % kProgressEvery == 0) progress(d, 2 * documents);
    texts.push_back(document_text(lexicon, seed, d));
    for (const std::string_view word : pre_tokens(texts.back().text)) ++counts[std::string(word)];
  }
  Corpus out{WordTokenizer(counts), {}};
  const std::vector<std::int32_t> content = content_words(lexicon, out.tokenizer);
  for (std::int64_t d = 0; d < documents; ++d) {
    if (progress && d % kProgressEvery == 0) progress(documents + d, 2 * documents);
    const DocumentText& document = texts[static_cast<std::size_t>(d)];
    if (document.kind == Kind::Induction) {
      Rng rng(seed, kInductionStreams + static_cast<std::uint64_t>(d));
      append(out.documents, document.kind, induction_ids(out.tokenizer.size(), content, kLongestDocument - 2, rng));
    } else {
      append(out.documents, document.kind, out.tokenizer.encode(document.text));
    }
  }
  return out;
}

}  // namespace training
