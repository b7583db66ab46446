#include "text/tokenizer_writer.hpp"

#include "base/canonical_json.hpp"
#include "text/byte_alphabet.hpp"
#include "text/tokenizer.hpp"

namespace diopter::text {
namespace {

using base::Json;

Json byte_level() {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
}

}  // namespace

std::string tokenizer_json(const ByteLevelVocabulary& vocabulary) {
  Json added = Json::array(), vocab = Json::object(), merges = Json::array();
  std::int64_t id = 0;
  for (const auto& token : vocabulary.special) {
    added.push_back({{"id", id},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
    vocab[token] = id++;
  }
  for (const auto& token : vocabulary.tokens) vocab[to_symbols(token)] = id++;
  for (const auto& [left, right] : vocabulary.merges) {
    merges.push_back(Json::array({to_symbols(left), to_symbols(right)}));
  }
  const Json model = {{"type", "BPE"},
                      {"dropout", nullptr},
                      {"unk_token", nullptr},
                      {"continuing_subword_prefix", nullptr},
                      {"end_of_word_suffix", nullptr},
                      {"fuse_unk", false},
                      {"byte_fallback", false},
                      {"ignore_merges", false},
                      {"vocab", vocab},
                      {"merges", merges}};
  const Json document = {{"version", "1.0"},          {"truncation", nullptr},   {"padding", nullptr},
                         {"added_tokens", added},     {"normalizer", nullptr},   {"pre_tokenizer", byte_level()},
                         {"post_processor", nullptr}, {"decoder", byte_level()}, {"model", model}};
  std::string out = base::plain_json(document, 1) + "\n";
  Tokenizer::parse(out, "the written tokenizer.json");
  return out;
}

}  // namespace diopter::text
