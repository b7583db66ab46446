#include "word_tokenizer.hpp"

#include <array>

#include <diopter/error.hpp>
#include <nlohmann/json.hpp>

#include "pre_tokens.hpp"

namespace training {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kEndName = "<|endoftext|>";

struct ByteAlphabet {
  std::array<std::string, 256> shown;     // UTF-8 of the character that stands for a byte in tokenizer.json
  std::array<std::int32_t, 256> order{};  // position of a byte in the list of characters
};

std::string utf8(unsigned code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
}

bool is_shown_as_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

// GPT-2's table: printable bytes stand for themselves, the others for the characters from U+0100 on; sorted by
// character.
const ByteAlphabet& alphabet() {
  static const ByteAlphabet made = [] {
    ByteAlphabet out;
    std::int32_t next = 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (!is_shown_as_itself(byte)) continue;
      out.shown[byte] = utf8(byte);
      out.order[byte] = next++;
    }
    for (unsigned byte = 0, code = 0x100; byte < 256; ++byte) {
      if (is_shown_as_itself(byte)) continue;
      out.shown[byte] = utf8(code++);
      out.order[byte] = next++;
    }
    return out;
  }();
  return made;
}

std::string shown(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) out += alphabet().shown[static_cast<unsigned char>(c)];
  return out;
}

}  // namespace

WordTokenizer::WordTokenizer(const std::map<std::string, std::int64_t>& word_counts)
    : merges_(learn_merges(word_counts)) {
  for (const auto& [word, count] : word_counts) words_.emplace(word, id(merges_.apply(word).at(0)));
}

std::int64_t WordTokenizer::size() const { return 1 + Merges::kFirstMerge + std::ssize(merges_.pairs); }

std::int32_t WordTokenizer::id(Symbol symbol) const {
  return symbol < Merges::kFirstMerge ? 1 + alphabet().order[static_cast<std::size_t>(symbol)] : symbol + 1;
}

std::vector<std::int32_t> WordTokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> out;
  for (const std::string_view piece : pre_tokens(text)) {
    if (const auto known = words_.find(std::string(piece)); known != words_.end()) {
      out.push_back(known->second);
      continue;
    }
    for (const Symbol symbol : merges_.apply(piece)) out.push_back(id(symbol));
  }
  return out;
}

std::int32_t WordTokenizer::word(std::string_view pre_token) const {
  const auto known = words_.find(std::string(pre_token));
  if (known == words_.end()) {
    throw diopter::Error("\"" + std::string(pre_token) + "\" is not one token of the corpus's tokenizer.");
  }
  return known->second;
}

std::string WordTokenizer::bytes(std::int32_t token) const {
  if (token == kDocumentEnd) return kEndName;
  if (token > Merges::kFirstMerge) {
    const auto& [left, right] = merges_.pairs.at(static_cast<std::size_t>(token - 1 - Merges::kFirstMerge));
    return bytes(id(left)) + bytes(id(right));
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (alphabet().order[byte] == token - 1) return {static_cast<char>(byte)};
  }
  throw diopter::Error("there is no token " + std::to_string(token) + ".");
}

std::string WordTokenizer::json() const {
  Json vocabulary = Json::object(), merges = Json::array();
  for (std::int32_t token = 0; token < size(); ++token) {
    vocabulary[token == kDocumentEnd ? kEndName : shown(bytes(token))] = token;
  }
  for (const auto& [left, right] : merges_.pairs)
    merges.push_back(shown(bytes(id(left))) + " " + shown(bytes(id(right))));
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  const Json end = {{"id", kDocumentEnd}, {"content", kEndName}, {"single_word", false}, {"lstrip", false},
                    {"rstrip", false},    {"normalized", false}, {"special", true}};
  const Json model = {{"type", "BPE"},
                      {"dropout", nullptr},
                      {"unk_token", nullptr},
                      {"continuing_subword_prefix", nullptr},
                      {"end_of_word_suffix", nullptr},
                      {"fuse_unk", false},
                      {"byte_fallback", false},
                      {"ignore_merges", false},
                      {"vocab", vocabulary},
                      {"merges", merges}};
  const Json all = {{"version", "1.0"},
                    {"truncation", nullptr},
                    {"padding", nullptr},
                    {"added_tokens", Json::array({end})},
                    {"normalizer", nullptr},
                    {"pre_tokenizer", byte_level},
                    {"post_processor", nullptr},
                    {"decoder", byte_level},
                    {"model", model}};
  return all.dump(1) + "\n";
}

}  // namespace training
