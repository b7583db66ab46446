#include "text/tokenizer_file.hpp"

#include <algorithm>
#include <unordered_set>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"
#include "text/model_file.hpp"

namespace diopter::text {
namespace {

using base::Json;

AddedToken read_added_token(const Field& field) {
  field.only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
  AddedToken token;
  token.id = field.at("id").id();
  token.content = field.at("content").text();
  token.single_word = field.at("single_word").flag();
  token.lstrip = field.at("lstrip").flag();
  token.rstrip = field.at("rstrip").flag();
  token.normalized = field.at("normalized").flag();
  token.special = field.at("special").flag();
  if (token.content.empty()) field.at("content").refuse("an added token must not be empty");
  return token;
}

bool has_all_bytes(const BpeFile& file) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (!file.vocab.contains(to_symbols({&c, 1}))) return false;
  }
  return true;
}

// What the model calls a token, if it knows it.
std::unordered_map<std::string, std::int64_t> model_ids(const TokenizerFile& file) {
  std::unordered_map<std::string, std::int64_t> out(file.bpe.vocab.begin(), file.bpe.vocab.end());
  for (std::size_t id = 0; id < file.unigram.vocab.size(); ++id) {
    out[file.unigram.vocab[id].first] = static_cast<std::int64_t>(id);
  }
  return out;
}

// The library ignores the ids of added tokens and numbers them itself; a file that says otherwise is ambiguous.
void read_added_tokens(const Field& root, TokenizerFile& out) {
  if (!root.has("added_tokens")) return;
  const Field list = root.at("added_tokens");
  const auto vocab_size = static_cast<std::int64_t>(out.vocabulary_size());
  const auto model = model_ids(out);
  std::int64_t largest = -1;
  std::unordered_set<std::int64_t> ids;
  std::unordered_set<std::string> contents, sought;
  for (const auto& [token, id] : model) ids.insert(id);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Field field = list.at(i);
    AddedToken token = read_added_token(field);
    const auto known = model.find(token.content);
    const std::int64_t expected = known != model.end() ? known->second : std::max(largest + 1, vocab_size);
    if (token.id != expected) {
      field.at("id").refuse("the tokenizers library gives " + base::quoted(base::printable(token.content, 80)) +
                            " the id " + std::to_string(expected));
    }
    if (!contents.insert(token.content).second) field.at("content").refuse("this token is added twice");
    if (known == model.end() && !ids.insert(token.id).second) {
      field.at("id").refuse("another token has this id already");
    }
    if (token.normalized) {
      const std::string form = out.normaliser.apply(token.content);
      if (form.empty()) field.at("content").refuse("the normalizer leaves nothing of this token");
      if (!sought.insert(form).second) field.at("content").refuse("the normalizer makes this token equal to another");
    }
    largest = std::max(largest, token.id);
    out.added.push_back(std::move(token));
  }
}

}  // namespace

TokenizerFile read_tokenizer_file(std::string_view json, const std::string& origin) {
  return read_tokenizer_document(parse_json(json, origin), origin);
}

TokenizerFile read_tokenizer_document(const Json& document, const std::string& origin) {
  const Field root(document, origin, "");
  root.only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
             "decoder", "model"});
  if (root.at("version").value() != "1.0") root.at("version").refuse("supported: '1.0'");
  TokenizerFile out;
  read_model(root, out);
  out.normaliser = read_normaliser(root);
  // Symbols that the vocabulary lacks may be spelled, which takes them as characters.
  const bool takes_bytes = out.model == TokenizerFile::Model::Bpe && (!out.bpe.byte_fallback || has_all_bytes(out.bpe));
  out.pre_tokeniser = read_pre_tokeniser(root, takes_bytes ? PreTokeniser::Words::Bytes : PreTokeniser::Words::Symbols);
  out.decoder = read_decoder(root);
  read_added_tokens(root, out);
  out.post_processor = read_post_processor(root);
  return out;
}

}  // namespace diopter::text
