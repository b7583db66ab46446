// Text to token ids and back: byte-pair encoding and Unigram, as the tokenizers library does them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/regex.hpp"

namespace diopter::text {

struct Encoded {
  std::vector<std::int64_t> ids;
  std::vector<Span> spans;  // of ids[i], in bytes of the text, widened to whole characters
};

enum class SpecialTokens { Keep, Skip };

// Immutable; copies share one vocabulary. Every member may be called from any thread at once.
class Tokenizer {
 public:
  // A tokenizer.json, tokenizer.model or tok*.bin of llama2.c, or a directory that holds one of them or vocab.json with
  // merges.txt. UserError(Refused) when it is missing, malformed or asks for something that is not done here
  // (tokenizer_file.hpp, sentencepiece_file.hpp and vocab_merges.hpp list what is).
  static Tokenizer load(const std::filesystem::path& file_or_directory);
  static Tokenizer parse(std::string_view json, const std::string& origin);  // origin: the name used in messages

  // The ids of the text alone: nothing is put around it, special tokens written in it are recognised
  // (add_special_tokens=False). UserError(Refused) with the byte offset when the text is not UTF-8, or when the
  // vocabulary has no token for one of its characters.
  std::vector<std::int64_t> encode(std::string_view text) const;
  Encoded encode_with_spans(std::string_view text) const;
  // The ids of a text that follows other text: SentencePiece's kind puts a space before a text's first word, which
  // would be a second one before " Mary". The same as encode() for GPT-2's kind.
  std::vector<std::int64_t> continuation(std::string_view text) const;
  // The bytes of each token of the text, one string a token; they may cut a character. What an unknown character became
  // is the unknown token's.
  std::vector<std::string> pieces(std::string_view text) const;
  // The id of a text that is one token where it follows other text, " Mary" say.
  std::optional<std::int64_t> single_token(std::string_view text) const;

  // Always UTF-8: ill-formed sequences become U+FFFD. An id without a token is a UserError(Refused).
  std::string decode(std::span<const std::int64_t> ids, SpecialTokens special = SpecialTokens::Keep) const;

  bool has(std::int64_t id) const;
  // Exactly what the token stands for; a part of a character when the token is one. The view lives as long as any copy
  // of this tokenizer. UserError(Refused) for an id without a token.
  std::string_view token_bytes(std::int64_t id) const;
  // For tables and figures, any id: control and ill-formed bytes as \n, \xE2; "[id 50300]" for an id without a token.
  std::string label(std::int64_t id) const;

  // One more than the largest id; a model may have more rows than this, and ids may be unused.
  std::int64_t size() const;
  bool is_special(std::int64_t id) const;
  std::optional<std::int64_t> added_token(std::string_view content) const;  // "<|endoftext|>" -> 50256

  // What transformers puts around a text: what the post-processor says (nothing for GPT-2, BOS first for Llama 3), or
  // add_bos_token and add_eos_token of tokenizer_config.json where they are. Not applied by encode(): which BOS a
  // prompt gets is decided by its caller.
  const std::vector<std::int64_t>& ids_before() const;
  const std::vector<std::int64_t>& ids_after() const;
  // From tokenizer_config.json beside the file; else the post-processor's when it puts one id there; else
  // <|endoftext|>, <s>, <|begin_of_text|> or <bos> (eos: </s>, <|end_of_text|>, <eos>) when there is such a special
  // token.
  std::optional<std::int64_t> bos() const;
  std::optional<std::int64_t> eos() const;

  const std::string& sha256() const;  // of the bytes of tokenizer.json or tokenizer.model, or of vocabulary and merges

 private:
  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace diopter::text
