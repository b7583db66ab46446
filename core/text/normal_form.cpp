#include "text/normal_form.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "text/characters.hpp"
#include "text/unicode_tables.hpp"

namespace diopter::text {
namespace {

// A character on its way through decomposition and composition. `change` is how the library counts what happened to
// the text: 0 for the first character of a decomposition, 1 for each further one, one less for each that was composed.
struct Moving {
  char32_t c = 0;
  int combining_class = 0;
  std::ptrdiff_t change = 0;
};

constexpr char32_t kComposingEnd = 0x20000;  // no character from here on is the second of a composition

// Which characters can be the last of a canonical decomposition: only they can compose with what stands before them.
const std::vector<bool>& composing() {
  static const std::vector<bool> kComposing = [] {
    std::vector<bool> out(kComposingEnd);
    std::array<utf8proc_int32_t, 32> buffer{};
    for (char32_t c = 0; c < 0x30000; ++c) {
      if ((c >= 0xd800 && c < 0xe000) || contains(later_than_normaliser(), c)) continue;
      int boundary = 0;
      const auto size = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer.data(), buffer.size(),
                                                UTF8PROC_DECOMPOSE, &boundary);
      if (size < 2) continue;
      const auto last = static_cast<char32_t>(buffer[static_cast<std::size_t>(size - 1)]);
      if (last < kComposingEnd) out[last] = true;
    }
    return out;
  }();
  return kComposing;
}

class Decomposition {
 public:
  Decomposition(std::string_view text, bool compatible) : text_(text), compatible_(compatible) {}

  // The next character in canonical order, or false at the end.
  bool next(Moving& out) {
    while (given_ == ready_) {
      if (at_ >= text_.size()) {
        if (ready_ == run_.size()) return false;
        sort_run();
        continue;
      }
      read();
    }
    out = run_[given_++];
    return true;
  }

 private:
  void read() {
    const char32_t c = character_at(text_, at_);
    at_ += character_size(text_[at_]);
    if (c < 0x80) return push({c, 0, 0});
    const utf8proc_property_t* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
    const bool hangul = c >= 0xac00 && c < 0xd7a4;
    const bool plain = property->decomp_seqindex == UINT16_MAX && !hangul;
    if (plain && property->combining_class == 0) return push({c, 0, 0});
    if (contains(later_than_normaliser(), c)) return push({c, 0, 0});
    if (plain) return push({c, property->combining_class, 0});
    std::array<utf8proc_int32_t, 32> parts{};
    int boundary = 0;
    const int options = UTF8PROC_DECOMPOSE | (compatible_ ? UTF8PROC_COMPAT : 0);
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(), parts.size(),
                                               static_cast<utf8proc_option_t>(options), &boundary);
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::max<utf8proc_ssize_t>(count, 0)); ++i) {
      push({static_cast<char32_t>(parts[i]), utf8proc_get_property(parts[i])->combining_class, i > 0});
    }
  }

  // A starter closes the run of marks before it, which can then be sorted.
  void push(Moving moving) {
    if (moving.combining_class != 0) return run_.push_back(moving);
    sort_run();
    if (given_ == run_.size()) run_.clear(), given_ = 0;
    run_.push_back(moving);
    ready_ = run_.size();
  }

  void sort_run() {
    std::stable_sort(run_.begin() + static_cast<std::ptrdiff_t>(ready_), run_.end(),
                     [](const Moving& a, const Moving& b) { return a.combining_class < b.combining_class; });
    ready_ = run_.size();
  }

  std::string_view text_;
  bool compatible_;
  std::size_t at_ = 0;
  std::vector<Moving> run_;  // [0, given_) were given, [given_, ready_) are in order, the rest waits for a starter
  std::size_t given_ = 0, ready_ = 0;
};

// The primary composite of two characters, or 0.
char32_t composed(char32_t first, char32_t second) {
  if (second < 0x300 || second >= kComposingEnd || !composing()[second]) return 0;
  if (contains(later_than_normaliser(), first)) return 0;
  std::array<utf8proc_int32_t, 3> pair{static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second), 0};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair.data(), 2, options) != 1) return 0;
  const auto result = static_cast<char32_t>(pair[0]);
  return contains(later_than_normaliser(), result) ? 0 : result;
}

// Composes what a Decomposition gives.
class Composition {
 public:
  Composition(Decomposition source, AlignedText::Rewriter& out) : source_(std::move(source)), out_(out) {}

  void run() {
    for (Moving next; source_.next(next);) take(next);
    flush();
  }

 private:
  void take(const Moving& next) {
    if (!has_starter_) {
      if (next.combining_class != 0) return out_.change(next.c, next.change);
      starter_ = next;
      has_starter_ = true;
      return;
    }
    // A mark is blocked from the starter by one of no lower class between them.
    const bool blocked = !marks_.empty() && marks_.back().combining_class >= next.combining_class;
    if (!blocked) {
      if (const char32_t composite = composed(starter_.c, next.c)) {
        starter_ = {composite, 0, starter_.change + next.change - 1};
        return;
      }
    }
    if (next.combining_class != 0) return marks_.push_back(next);
    flush();
    starter_ = next;
    has_starter_ = true;
  }

  void flush() {
    if (has_starter_) out_.change(starter_.c, starter_.change);
    for (const Moving& mark : marks_) out_.change(mark.c, mark.change);
    marks_.clear();
    has_starter_ = false;
  }

  Decomposition source_;
  AlignedText::Rewriter& out_;
  Moving starter_;
  bool has_starter_ = false;
  std::vector<Moving> marks_;  // those after the starter that did not compose
};

// Below U+0300 nothing combines, and nothing decomposes for good.
bool surely_composed(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0xcc; });
}

}  // namespace

void to_normal_form(AlignedText& text, NormalForm form) {
  if (is_ascii(text.text()) || (form == NormalForm::C && surely_composed(text.text()))) return;
  AlignedText::Rewriter out(text);
  Decomposition source(text.text(), form == NormalForm::KC || form == NormalForm::KD);
  if (form == NormalForm::C || form == NormalForm::KC) {
    Composition(std::move(source), out).run();
  } else {
    for (Moving next; source.next(next);) out.change(next.c, next.change);
  }
  out.finish();
}

}  // namespace diopter::text
