#include "text/encoder.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"
#include "text/span_rules.hpp"
#include "text/unicode.hpp"

namespace diopter::text {
namespace {

std::array<std::uint32_t, 256> byte_ids(const TokenizerFile& file) {
  std::array<std::uint32_t, 256> out;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const auto found = file.vocab.find(to_symbols({&c, 1}));
    out[byte] = found == file.vocab.end() ? Bpe::kMissing : found->second;
  }
  return out;
}

struct WordHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view word) const { return std::hash<std::string_view>{}(word); }
};

}  // namespace

// What one running call needs. Words recur, so their ids are kept: up to kCachedWords short ones, then it starts anew.
struct Encoder::Workspace {
  static constexpr std::size_t kCachedWords = 1 << 14, kCachedLength = 64;

  Regex::Workspace regex;
  Bpe::Workspace bpe;
  std::unordered_map<std::string, Span, WordHash, std::equal_to<>> cache;  // word -> range of `cached`
  std::vector<std::uint32_t> cached, word_ids;
  std::string prefixed;
};

// One encode() in progress.
class Encoder::Call {
 public:
  Call(const Encoder& encoder, Workspace& workspace, std::string_view text, std::vector<std::int64_t>& ids,
       std::vector<Span>* spans)
      : encoder_(encoder), workspace_(workspace), text_(text), ids_(ids), spans_(spans) {}

  void run() {
    for (const Section& section : encoder_.splitter_.split(text_)) {
      if (section.id >= 0) {
        ids_.push_back(section.id);
        const std::string_view written = text_.substr(section.span.begin, section.span.end - section.span.begin);
        if (spans_) add_span(section.span, white_space_around_added(written));
      } else {
        piece(section.span);
      }
    }
  }

 private:
  void piece(Span span) {
    std::string_view words = text_.substr(span.begin, span.end - span.begin);
    const bool prefixed = encoder_.add_prefix_space_ && words[0] != ' ';
    if (prefixed) {
      workspace_.prefixed.assign(" ").append(words);
      words = workspace_.prefixed;
    }
    const WidenedSpans widen{text_, span, prefixed};
    if (!encoder_.use_regex_) return word(words, 0, widen);
    for (std::size_t at = 0; at < words.size();) {
      const auto match = gpt2_pattern().find(words, at, workspace_.regex);
      // The pattern's classes and their complement cover every character.
      DIOPTER_CHECK(match && match->begin == at && match->end > at, "the GPT-2 pattern left a character out");
      word(words.substr(at, match->end - at), at, widen);
      at = match->end;
    }
  }

  void word(std::string_view bytes, std::size_t offset, const WidenedSpans& widen) {
    const std::uint32_t* ids = nullptr;
    std::size_t count = 0;
    const auto found = workspace_.cache.find(bytes);
    if (found != workspace_.cache.end()) {
      ids = workspace_.cached.data() + found->second.begin;
      count = found->second.end - found->second.begin;
    } else {
      workspace_.word_ids.clear();
      merge(bytes, offset, widen);
      remember(bytes);
      ids = workspace_.word_ids.data();
      count = workspace_.word_ids.size();
    }
    ids_.insert(ids_.end(), ids, ids + count);
    if (!spans_) return;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view token = encoder_.tokens_.bytes(ids[i]);
      add_span(widen(offset, offset + token.size()), spaces_around(token));
      offset += token.size();
    }
  }

  void merge(std::string_view bytes, std::size_t offset, const WidenedSpans& widen) {
    if (const auto whole = encoder_.whole_words_.find(bytes); whole != encoder_.whole_words_.end()) {
      workspace_.word_ids.push_back(whole->second);
      return;
    }
    if (const auto missing = encoder_.bpe_.missing_byte(bytes); missing != std::string_view::npos) {
      const Span place = widen(offset + missing, offset + missing + 1);
      static constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(bytes[missing]);
      throw base::UserError(base::Exit::Refused,
                            encoder_.origin_ + ": the vocabulary has no token for the byte 0x" + kDigits[byte >> 4] +
                                kDigits[byte & 15] + ", which the text has at byte " + std::to_string(place.begin),
                            "Other programs would drop it silently; leave the character out of the text.",
                            "tokenizer.missing_byte");
    }
    encoder_.bpe_.encode(bytes, workspace_.bpe, workspace_.word_ids);
  }

  void remember(std::string_view bytes) {
    if (bytes.size() > Workspace::kCachedLength) return;
    if (workspace_.cache.size() >= Workspace::kCachedWords) {
      workspace_.cache.clear();
      workspace_.cached.clear();
    }
    const std::size_t begin = workspace_.cached.size();
    workspace_.cached.insert(workspace_.cached.end(), workspace_.word_ids.begin(), workspace_.word_ids.end());
    workspace_.cache.emplace(bytes, Span{begin, workspace_.cached.size()});
  }

  void add_span(Span span, WhiteSpace space) {
    if (encoder_.post_processor_.trim_offsets) {
      const bool first = spans_->empty() || span.begin == 0;
      // A single space may be the one that was put there; more of them were in the text.
      if (first && encoder_.post_processor_.first_keeps_space && space.before == 1) space.before = 0;
      span = trimmed(text_, span, space);
    }
    spans_->push_back(span);
  }

  const Encoder& encoder_;
  Workspace& workspace_;
  std::string_view text_;
  std::vector<std::int64_t>& ids_;
  std::vector<Span>* spans_;
};

Encoder::Encoder(const TokenizerFile& file, const TokenTable& tokens, std::string origin)
    : tokens_(tokens),
      origin_(std::move(origin)),
      add_prefix_space_(file.add_prefix_space),
      use_regex_(file.use_regex),
      post_processor_(file.post_processor),
      splitter_(file.added),
      bpe_(byte_ids(file), file.merges) {
  if (!file.ignore_merges) return;
  for (const auto& [token, id] : file.vocab) {
    if (from_symbols(token)) whole_words_.emplace(tokens_.bytes(id), id);
  }
}

Encoder::~Encoder() = default;

std::unique_ptr<Encoder::Workspace> Encoder::borrow() const {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Workspace>();
  auto workspace = std::move(idle_.back());
  idle_.pop_back();
  return workspace;
}

void Encoder::give_back(std::unique_ptr<Workspace> workspace) const {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(workspace));
}

void Encoder::encode(std::string_view text, std::vector<std::int64_t>& ids, std::vector<Span>* spans) const {
  if (const auto bad = base::invalid_utf8_offset(text)) {
    throw base::UserError(base::Exit::Refused,
                          "a text to be encoded is not UTF-8 at byte " + std::to_string(*bad) + ": '" +
                              base::printable(text.substr(*bad), 20) + "'",
                          "Convert it to UTF-8 (iconv -t UTF-8).", "tokenizer.utf8");
  }
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw base::UserError(base::Exit::Refused, "a text to be encoded is longer than 2 GiB; encode it in parts");
  }
  auto workspace = borrow();
  Call(*this, *workspace, text, ids, spans).run();
  give_back(std::move(workspace));
}

}  // namespace diopter::text
