#include "text/model_file.hpp"

#include <functional>
#include <unordered_set>

#include "base/hints.hpp"
#include "base/utf8.hpp"

namespace diopter::text {
namespace {

using base::Json;

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

void read_unknown_token(const Field& model, BpeFile& out) {
  if (!model.has("unk_token")) return;
  const Field unknown = model.at("unk_token");
  // Some files of byte-level tokenizers name one that is added later; with all bytes there it is never asked for.
  if (out.vocab.contains(unknown.text())) out.unknown_token = unknown.text();
}

void read_bpe(const Field& model, TokenizerFile& out) {
  model.only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
              "byte_fallback", "ignore_merges", "vocab", "merges"});
  model.require_default("dropout", 0.0);
  model.require_default("continuing_subword_prefix", "");
  model.require_default("end_of_word_suffix", "");
  out.bpe.ignore_merges = model.flag("ignore_merges", false);
  out.bpe.fuse_unknown = model.flag("fuse_unk", false);
  out.bpe.byte_fallback = model.flag("byte_fallback", false);
  read_vocabulary(model.at("vocab"), out.bpe);
  read_merges(model.at("merges"), out.bpe);
  read_unknown_token(model, out.bpe);
}

void read_unigram(const Field& model, TokenizerFile& out) {
  model.only({"type", "unk_id", "vocab", "byte_fallback"});
  out.model = TokenizerFile::Model::Unigram;
  out.unigram.byte_fallback = model.flag("byte_fallback", false);
  const Field vocab = model.at("vocab");
  const std::size_t count = vocab.size();
  if (count == 0 || count > static_cast<std::size_t>(Field::kMaxId)) vocab.refuse("expected tokens with their scores");
  out.unigram.vocab.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Json& row = vocab.value()[i];
    const bool fine = row.is_array() && row.size() == 2 && row[0].is_string() && row[1].is_number();
    if (!fine) vocab.at(i).refuse("expected [token, score]");
    out.unigram.vocab.emplace_back(row[0].get<std::string>(), row[1].get<double>());
  }
  if (!model.has("unk_id")) return;
  const Field unknown = model.at("unk_id");
  if (unknown.id() >= static_cast<std::int64_t>(count)) unknown.refuse("expected the place of a token in model.vocab");
  out.unigram.unknown = static_cast<std::uint32_t>(unknown.id());
}

}  // namespace

void read_vocabulary(const Field& vocab, BpeFile& out) {
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

void read_merges(const Field& merges, BpeFile& out) {
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
        field().refuse("its token " + base::quoted(base::printable(token, 80)) + " is not in the vocabulary");
      }
      return found->second;
    };
    const std::string first(left), second(right);
    out.merges.push_back({id_of(first), id_of(second), id_of(first + second)});
  }
}

void read_model(const Field& root, TokenizerFile& out) {
  const Field model = root.at("model");
  // Old files say no type; they are byte-pair encodings.
  const std::string type = model.has("type") ? model.at("type").text() : "BPE";
  if (type == "BPE") return read_bpe(model, out);
  if (type == "Unigram") return read_unigram(model, out);
  model.at("type").refuse("supported: BPE, Unigram");
}

}  // namespace diopter::text
