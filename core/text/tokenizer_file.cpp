#include "text/tokenizer_file.hpp"

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "base/hints.hpp"
#include "base/utf8.hpp"

namespace diopter::text {
namespace {

using base::Json;

void read_normaliser(const Field& root) {
  if (!root.has("normalizer")) return;
  const Field normaliser = root.at("normalizer");
  const bool empty_sequence = normaliser.at("type").value() == "Sequence" && normaliser.at("normalizers").size() == 0;
  if (!empty_sequence) normaliser.at("type").refuse("supported: no normalizer (null)");
}

void read_pre_tokeniser(const Field& root, TokenizerFile& out) {
  const Field pre = root.at("pre_tokenizer");
  if (pre.at("type").text() != "ByteLevel") pre.at("type").refuse("supported: 'ByteLevel'");
  pre.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  out.add_prefix_space = pre.at("add_prefix_space").flag();
  out.use_regex = pre.flag("use_regex", true);
}

void read_decoder(const Field& root) {
  const Field decoder = root.at("decoder");
  if (decoder.at("type").text() != "ByteLevel") decoder.at("type").refuse("supported: 'ByteLevel'");
  decoder.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
}

void read_vocab(const Field& model, TokenizerFile& out) {
  const Field vocab = model.at("vocab");
  vocab.require_object();
  std::unordered_set<std::int64_t> ids;
  ids.reserve(vocab.value().size());
  out.vocab.reserve(vocab.value().size());
  for (const auto& [token, value] : vocab.value().items()) {
    const std::int64_t id = Field::is_id(value) ? value.get<std::int64_t>() : vocab.at(token).id();
    if (!ids.insert(id).second) vocab.at(token).refuse("another token has this id already");
    out.vocab.emplace(token, static_cast<std::uint32_t>(id));
  }
}

// "a b" or ["a", "b"]. Fields are made for refusals only: there are tens of thousands of merges.
std::pair<std::string_view, std::string_view> merge_pair(const Json& value, const std::function<Field()>& field) {
  if (value.is_string()) {
    const std::string_view text = value.get_ref<const std::string&>();
    const auto space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
      field().refuse("expected two tokens with one space between them");
    }
    return {text.substr(0, space), text.substr(space + 1)};
  }
  if (field().size() != 2) field().refuse("expected two tokens");
  return {field().at(std::size_t{0}).text(), field().at(std::size_t{1}).text()};
}

void read_merges(const Field& model, TokenizerFile& out) {
  const Field merges = model.at("merges");
  const std::size_t count = merges.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Json& value = merges.value()[i];
    const auto field = [&] { return merges.at(i); };
    if (value.is_string() != merges.value()[0].is_string()) field().refuse("merges must be all strings or all pairs");
    // A line of merges.txt that some converters kept; tokenizers skips it too.
    if (value.is_string() && value.get_ref<const std::string&>().starts_with("#version")) continue;
    const auto [left, right] = merge_pair(value, field);
    const auto id_of = [&](const std::string& token) {
      const auto found = out.vocab.find(token);
      if (found == out.vocab.end()) {
        field().refuse("its token " + base::quoted(base::printable(token, 80)) + " is not in model.vocab");
      }
      return found->second;
    };
    const std::string first(left), second(right);
    out.merges.push_back({id_of(first), id_of(second), id_of(first + second)});
  }
}

void read_model(const Field& root, TokenizerFile& out) {
  const Field model = root.at("model");
  if (model.has("type") && model.at("type").value() != "BPE") model.at("type").refuse("supported: 'BPE'");
  model.only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
              "byte_fallback", "ignore_merges", "vocab", "merges"});
  model.require_default("dropout", 0.0);
  model.require_default("continuing_subword_prefix", "");
  model.require_default("end_of_word_suffix", "");
  model.require_default("byte_fallback", false);
  out.ignore_merges = model.flag("ignore_merges", false);
  read_vocab(model, out);
  read_merges(model, out);
}

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

// The library ignores the ids of added tokens and numbers them itself; a file that says otherwise is ambiguous.
void read_added_tokens(const Field& root, TokenizerFile& out) {
  if (!root.has("added_tokens")) return;
  const Field list = root.at("added_tokens");
  const auto vocab_size = static_cast<std::int64_t>(out.vocab.size());
  std::int64_t largest = -1;
  std::unordered_set<std::int64_t> ids;
  std::unordered_set<std::string> contents;
  for (const auto& [token, id] : out.vocab) ids.insert(id);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Field field = list.at(i);
    AddedToken token = read_added_token(field);
    const auto known = out.vocab.find(token.content);
    const std::int64_t expected = known != out.vocab.end() ? known->second : std::max(largest + 1, vocab_size);
    if (token.id != expected) {
      field.at("id").refuse("the tokenizers library gives " + base::quoted(base::printable(token.content, 80)) +
                            " the id " + std::to_string(expected));
    }
    if (!contents.insert(token.content).second) field.at("content").refuse("this token is added twice");
    if (known == out.vocab.end() && !ids.insert(token.id).second) {
      field.at("id").refuse("another token has this id already");
    }
    largest = std::max(largest, token.id);
    out.added.push_back(std::move(token));
  }
}

}  // namespace

TokenizerFile read_tokenizer_file(std::string_view json, const std::string& origin) {
  const Json document = parse_json(json, origin);
  const Field root(document, origin, "");
  root.only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
             "decoder", "model"});
  if (root.at("version").value() != "1.0") root.at("version").refuse("supported: '1.0'");
  TokenizerFile out;
  read_model(root, out);
  read_normaliser(root);
  read_pre_tokeniser(root, out);
  read_decoder(root);
  read_added_tokens(root, out);
  out.post_processor = read_post_processor(root);
  return out;
}

}  // namespace diopter::text
