// The key "pre_tokenizer" of tokenizer.json: how a normalised text is cut into the words that a model gets one by one.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "text/aligned_text.hpp"
#include "text/json_field.hpp"
#include "text/regex.hpp"

namespace diopter::text {

// What becomes of the matches of a pattern that cuts.
enum class Delimiter { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

struct SplitByPattern {
  std::shared_ptr<const Regex> pattern;
  Delimiter delimiter = Delimiter::Isolated;
  bool invert = false;  // what lies between matches is what cuts
};
struct SplitByCharacter {
  bool (*cuts)(char32_t) = nullptr;
  Delimiter delimiter = Delimiter::Isolated;
};
// SentencePiece's way: a space becomes `mark`, which also begins each word.
struct MarkSpaces {
  enum class Prepend { First, Never, Always };
  std::string mark;  // one character
  Prepend prepend = Prepend::Always;
  bool split = true;
};
// GPT-2's way: words by pattern, then bytes as symbols (byte_alphabet.hpp).
struct ByteWords {
  bool add_prefix_space = false;  // before each piece that does not begin with one
  bool use_regex = true;          // false: such a piece is one word
  bool to_symbols = true;         // false: left to a model that takes bytes
};
using PreTokeniserStep = std::variant<SplitByPattern, SplitByCharacter, MarkSpaces, ByteWords>;

// Immutable. [any thread] with a workspace per thread.
class PreTokeniser {
 public:
  PreTokeniser() = default;
  // With Words::Bytes a ByteLevel step that is the last makes no symbols: its words are raw bytes.
  enum class Words { Bytes, Symbols };
  PreTokeniser(std::vector<PreTokeniserStep> steps, Words words);

  // Whether its words are raw bytes.
  bool gives_bytes() const { return gives_bytes_; }
  bool prefixes_bytes() const;  // whether a ByteLevel step adds a space
  // Whether cut() asks where a text came from that may have been rewritten, by the normaliser or by an earlier step.
  bool asks_for_origins(bool normalised) const;
  PreTokeniser without_prefix() const;  // nothing is put before a text

  struct Workspace {
    Regex::Workspace regex;
    std::vector<Span> spare;
    std::vector<std::pair<Span, bool>> matches;
  };
  // Cuts text.text() into `words`, none empty; rewrites the text where a step does.
  void cut(AlignedText& text, std::vector<Span>& words, Workspace& workspace) const;

 private:
  std::vector<PreTokeniserStep> steps_;
  bool gives_bytes_ = false;
};

// Supported: null, ByteLevel, Split, Metaspace, Whitespace, WhitespaceSplit, Punctuation, Digits, CharDelimiterSplit,
// BertPreTokenizer and Sequences of them. Others are a UserError(Refused).
PreTokeniser read_pre_tokeniser(const Field& root, PreTokeniser::Words words);

// Reading Metaspace, which is a decoder too.
MarkSpaces read_metaspace(const Field& field);

}  // namespace diopter::text
