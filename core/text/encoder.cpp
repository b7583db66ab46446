#include "text/encoder.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "text/span_rules.hpp"

namespace diopter::text {
namespace {

// Normalisation makes a text at most a few times longer; places in it are 32 bits.
constexpr std::size_t kLongestText = std::size_t{256} << 20;

struct WordHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view word) const { return std::hash<std::string_view>{}(word); }
};

std::unique_ptr<const WordModel> word_model(const TokenizerFile& file) {
  if (file.model == TokenizerFile::Model::Unigram) return std::make_unique<UnigramModel>(file.unigram);
  const bool bytes = file.pre_tokeniser.gives_bytes();
  return std::make_unique<BpeModel>(file.bpe, bytes ? BpeModel::Alphabet::Bytes : BpeModel::Alphabet::Characters);
}

}  // namespace

// What one running call needs. Words recur, so their tokens are kept: up to kCachedWords short ones, then it starts
// anew.
struct Encoder::Workspace {
  static constexpr std::size_t kCachedWords = 1 << 14, kCachedLength = 64;

  explicit Workspace(const WordModel& word_model) : model(word_model.workspace()) {}

  AlignedText whole, part;
  std::vector<Section> sections, inner;
  std::vector<Span> words;
  PreTokeniser::Workspace pre_tokeniser;
  std::unique_ptr<WordModel::Workspace> model;
  std::unordered_map<std::string, Span, WordHash, std::equal_to<>> cache;  // word -> range of `cached`
  std::vector<Token> cached, tokens;
};

// One encode() in progress.
class Encoder::Call {
 public:
  Call(const Encoder& encoder, Workspace& workspace, std::string_view text, std::vector<std::int64_t>& ids,
       std::vector<Span>* spans, Place place)
      : encoder_(encoder), front_(encoder.front(place)), workspace_(workspace), text_(text), ids_(ids), spans_(spans) {
    const bool asks = front_.pre_tokeniser.asks_for_origins(!front_.normaliser.empty());
    track_ = spans || asks ? Track::Yes : Track::No;
  }

  void run() {
    workspace_.sections.clear();
    encoder_.exact_.split(text_, workspace_.sections);
    for (const Section& section : workspace_.sections) {
      workspace_.whole.start(text_, section.span, track_);
      if (section.id >= 0) added_token(section.id, workspace_.whole, {0, workspace_.whole.text().size()});
      else normalise();
    }
  }

 private:
  void added_token(std::int64_t id, const AlignedText& text, Span span) {
    ids_.push_back(id);
    if (!spans_) return;
    add_span(text.origin(span.begin, span.end), text.text().substr(span.begin, span.end - span.begin));
  }

  void normalise() {
    AlignedText& whole = workspace_.whole;
    front_.normaliser.apply(whole);
    workspace_.inner.clear();
    encoder_.normalized_.split(whole.text(), workspace_.inner);
    for (const Section& section : workspace_.inner) {
      if (section.id >= 0) {
        added_token(section.id, whole, section.span);
        continue;
      }
      AlignedText& part = workspace_.part;
      part.start(whole, section.span);
      front_.pre_tokeniser.cut(part, workspace_.words, workspace_.pre_tokeniser);
      for (const Span& span : workspace_.words) words(part, span);
    }
  }

  // Cuts a word where the model would begin anew anyway: a text without a pre-tokeniser is one word.
  void words(const AlignedText& text, Span span) {
    const std::string_view mark = encoder_.model_->always_begins();
    const std::string_view inside = text.text().substr(0, span.end);
    std::size_t begin = span.begin;
    const auto after_marks = [&](std::size_t at) {
      while (inside.substr(at).starts_with(mark)) at += mark.size();
      return at;
    };
    if (!mark.empty()) {
      for (;;) {
        const std::size_t at = inside.find(mark, after_marks(begin));
        if (at == std::string_view::npos) break;
        word(text, {begin, at});
        begin = at;
      }
    }
    word(text, {begin, span.end});
  }

  void word(const AlignedText& text, Span span) {
    const std::string_view bytes = text.text().substr(span.begin, span.end - span.begin);
    const Token* tokens = nullptr;
    std::size_t count = 0;
    const auto found = workspace_.cache.find(bytes);
    if (found != workspace_.cache.end()) {
      tokens = workspace_.cached.data() + found->second.begin;
      count = found->second.end - found->second.begin;
    } else {
      workspace_.tokens.clear();
      const auto missing = encoder_.model_->encode(bytes, *workspace_.model, workspace_.tokens);
      if (missing) refuse(text, {span.begin + missing->begin, span.begin + missing->end});
      remember(bytes);
      tokens = workspace_.tokens.data();
      count = workspace_.tokens.size();
    }
    for (std::size_t i = 0; i < count; ++i) ids_.push_back(tokens[i].id);
    if (!spans_) return;
    for (std::size_t i = 0; i < count; ++i) {
      add_span(text.origin(span.begin + tokens[i].begin, span.begin + tokens[i].end),
               encoder_.tokens_.written(tokens[i].id));
    }
  }

  void remember(std::string_view bytes) {
    if (bytes.size() > Workspace::kCachedLength) return;
    if (workspace_.cache.size() >= Workspace::kCachedWords) {
      workspace_.cache.clear();
      workspace_.cached.clear();
    }
    const std::size_t begin = workspace_.cached.size();
    workspace_.cached.insert(workspace_.cached.end(), workspace_.tokens.begin(), workspace_.tokens.end());
    workspace_.cache.emplace(bytes, Span{begin, workspace_.cached.size()});
  }

  [[noreturn]] void refuse(const AlignedText& text, Span missing) const {
    const std::string_view part = text.text().substr(missing.begin, missing.end - missing.begin);
    std::string what = "the character " + base::printable(part);
    if (front_.pre_tokeniser.gives_bytes()) {
      static constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(part[0]);
      what = std::string("the byte 0x") + kDigits[byte >> 4] + kDigits[byte & 15];
    }
    const std::string place = text.knows_origins() ? "which the text has at byte " +
                                                         std::to_string(text.origin(missing.begin, missing.end).begin)
                                                   : "which the normalised text has";
    throw base::UserError(
        base::Exit::Refused, encoder_.origin_ + ": the vocabulary has no token for " + what + ", " + place,
        "Other programs would drop it silently; leave the character out of the text.", "tokenizer.missing_byte");
  }

  void add_span(Span span, std::string_view written) {
    if (encoder_.post_processor_.trim_offsets) {
      WhiteSpace space = white_space_around(written);
      const bool first = spans_->empty() || span.begin == 0;
      // A single space may be the one that was put there; more of them were in the text.
      if (first && encoder_.post_processor_.first_keeps_space && space.before == 1) space.before = 0;
      span = trimmed(text_, span, space);
    }
    spans_->push_back(span);
  }

  const Encoder& encoder_;
  const Front& front_;
  Workspace& workspace_;
  std::string_view text_;
  std::vector<std::int64_t>& ids_;
  std::vector<Span>* spans_;
  Track track_ = Track::No;
};

Encoder::Encoder(const TokenizerFile& file, const TokenTable& tokens, std::string origin)
    : tokens_(tokens),
      origin_(std::move(origin)),
      alone_{file.normaliser, file.pre_tokeniser},
      continuation_{file.normaliser.without_prefix(), file.pre_tokeniser.without_prefix()},
      post_processor_(file.post_processor),
      exact_(file.added, false, [](const std::string& content) { return content; }),
      normalized_(file.added, true, [&](const std::string& content) { return alone_.normaliser.apply(content); }),
      model_(word_model(file)) {}

Encoder::~Encoder() = default;

std::unique_ptr<Encoder::Workspace> Encoder::borrow() const {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Workspace>(*model_);
  auto workspace = std::move(idle_.back());
  idle_.pop_back();
  return workspace;
}

void Encoder::give_back(std::unique_ptr<Workspace> workspace) const {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(workspace));
}

void Encoder::encode(std::string_view text, std::vector<std::int64_t>& ids, std::vector<Span>* spans,
                     Place place) const {
  if (const auto bad = base::invalid_utf8_offset(text)) {
    throw base::UserError(base::Exit::Refused,
                          "a text to be encoded is not UTF-8 at byte " + std::to_string(*bad) + ": '" +
                              base::printable(text.substr(*bad), 20) + "'",
                          "Convert it to UTF-8 (iconv -t UTF-8).", "tokenizer.utf8");
  }
  if (text.size() > kLongestText) {
    throw base::UserError(base::Exit::Refused, "a text to be encoded is longer than 256 MiB; encode it in parts");
  }
  auto workspace = borrow();
  Call(*this, *workspace, text, ids, spans, place).run();
  give_back(std::move(workspace));
}

}  // namespace diopter::text
