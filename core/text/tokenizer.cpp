#include "text/tokenizer.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/utf8.hpp"
#include "text/encoder.hpp"
#include "text/token_table.hpp"
#include "text/tokenizer_config.hpp"
#include "text/tokenizer_file.hpp"
#include "text/tokenizer_source.hpp"

namespace diopter::text {
namespace fs = std::filesystem;

struct Tokenizer::State {
  State(const TokenizerFile& file, const TokenizerConfig& config, const std::string& origin_, std::string hash)
      : origin(origin_),
        sha256(std::move(hash)),
        added(file.added),
        before(file.post_processor.before),
        after(file.post_processor.after),
        decoder(file.decoder),
        tokens(file),
        encoder(file, tokens, origin) {
    for (const auto* frame : {&before, &after}) {
      for (const std::int64_t id : *frame) require(id);
    }
    bos = end_token(config.bos_token, before, {"<|endoftext|>", "<s>", "<|begin_of_text|>", "<bos>"});
    eos = end_token(config.eos_token, after, {"<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>"});
    if (config.add_bos) before = *config.add_bos && bos ? std::vector{*bos} : std::vector<std::int64_t>{};
    if (config.add_eos) after = *config.add_eos && eos ? std::vector{*eos} : std::vector<std::int64_t>{};
  }

  std::optional<std::int64_t> added_token(std::string_view content) const {
    const auto found =
        std::find_if(added.begin(), added.end(), [&](const AddedToken& token) { return token.content == content; });
    return found == added.end() ? std::nullopt : std::optional(found->id);
  }

  std::optional<std::int64_t> end_token(const std::optional<std::string>& configured,
                                        const std::vector<std::int64_t>& frame,
                                        std::initializer_list<std::string_view> usual) const {
    if (configured) return added_token(*configured);
    if (frame.size() == 1) return frame[0];
    for (const auto name : usual) {
      if (const auto id = added_token(name)) return id;
    }
    return std::nullopt;
  }

  void require(std::int64_t id) const {
    if (tokens.has(id)) return;
    throw base::UserError(base::Exit::Refused,
                          origin + ": there is no token with id " + std::to_string(id) + "; ids go from 0 to " +
                              std::to_string(static_cast<std::int64_t>(tokens.size()) - 1),
                          {}, "tokenizer.id");
  }

  std::string origin, sha256;
  std::vector<AddedToken> added;
  std::vector<std::int64_t> before, after;
  std::optional<std::int64_t> bos, eos;
  Decoder decoder;
  TokenTable tokens;
  Encoder encoder;
};

Tokenizer Tokenizer::load(const fs::path& path) {
  TokenizerSource source = read_tokenizer_source(path);
  TokenizerConfig config;
  if (source.config) config = read_tokenizer_config(*source.config, source.config_origin, source.file);
  return Tokenizer(std::make_shared<State>(source.file, config, source.origin, source.sha256));
}

Tokenizer Tokenizer::parse(std::string_view json, const std::string& origin) {
  return Tokenizer(
      std::make_shared<State>(read_tokenizer_file(json, origin), TokenizerConfig{}, origin, base::sha256(json)));
}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
  std::vector<std::int64_t> ids;
  state_->encoder.encode(text, ids, nullptr);
  return ids;
}

Encoded Tokenizer::encode_with_spans(std::string_view text) const {
  Encoded out;
  state_->encoder.encode(text, out.ids, &out.spans);
  return out;
}

std::vector<std::int64_t> Tokenizer::continuation(std::string_view text) const {
  std::vector<std::int64_t> ids;
  state_->encoder.encode(text, ids, nullptr, Place::Continuation);
  return ids;
}

std::vector<std::string> Tokenizer::pieces(std::string_view text) const {
  std::vector<std::string> out;
  for (const std::int64_t id : encode(text)) out.emplace_back(state_->tokens.bytes(id));
  return out;
}

std::optional<std::int64_t> Tokenizer::single_token(std::string_view text) const {
  const auto ids = continuation(text);
  return ids.size() == 1 ? std::optional(ids[0]) : std::nullopt;
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids, SpecialTokens special) const {
  const TokenTable& tokens = state_->tokens;
  std::string bytes;
  std::vector<std::string> written;
  for (const std::int64_t id : ids) {
    state_->require(id);
    if (special == SpecialTokens::Skip && tokens.is_skipped(id)) continue;
    if (state_->decoder.joins_bytes()) bytes += tokens.bytes(id);
    else written.emplace_back(tokens.written(id));
  }
  return state_->decoder.joins_bytes() ? base::replace_invalid_utf8(bytes) : state_->decoder.text(std::move(written));
}

bool Tokenizer::has(std::int64_t id) const { return state_->tokens.has(id); }

std::string_view Tokenizer::token_bytes(std::int64_t id) const {
  state_->require(id);
  return state_->tokens.bytes(id);
}

std::string Tokenizer::label(std::int64_t id) const {
  if (!has(id)) return "[id " + std::to_string(id) + "]";
  return base::printable(state_->tokens.bytes(id));
}

std::int64_t Tokenizer::size() const { return static_cast<std::int64_t>(state_->tokens.size()); }
bool Tokenizer::is_special(std::int64_t id) const { return state_->tokens.is_special(id); }
std::optional<std::int64_t> Tokenizer::added_token(std::string_view content) const {
  return state_->added_token(content);
}
const std::vector<std::int64_t>& Tokenizer::ids_before() const { return state_->before; }
const std::vector<std::int64_t>& Tokenizer::ids_after() const { return state_->after; }
std::optional<std::int64_t> Tokenizer::bos() const { return state_->bos; }
std::optional<std::int64_t> Tokenizer::eos() const { return state_->eos; }
const std::string& Tokenizer::sha256() const { return state_->sha256; }

}  // namespace diopter::text
