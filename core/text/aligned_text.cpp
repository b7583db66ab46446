#include "text/aligned_text.hpp"

#include <algorithm>

#include "text/characters.hpp"

namespace diopter::text {

void AlignedText::start(std::string_view original, Span part, Track track) {
  text_ = original.substr(part.begin, part.end - part.begin);
  origins_ = nullptr;
  shift_ = part.begin;
  track_ = track;
  rewritten_ = false;
}

void AlignedText::start(const AlignedText& other, Span part) {
  text_ = other.text_.substr(part.begin, part.end - part.begin);
  origins_ = other.origins_ ? other.origins_ + part.begin : nullptr;
  shift_ = other.shift_ + part.begin;
  track_ = other.track_;
  rewritten_ = other.rewritten_;
}

AlignedText::Origin AlignedText::origin_of(std::size_t at) const {
  if (origins_) return origins_[at];
  if (rewritten_) return {};  // not tracked
  std::size_t begin = at, end = at + 1;
  while (begin > 0 && is_continuation(text_[begin])) --begin;
  while (end < text_.size() && is_continuation(text_[end])) ++end;
  return {static_cast<std::uint32_t>(shift_ + begin), static_cast<std::uint32_t>(shift_ + end)};
}

Span AlignedText::origin(std::size_t begin, std::size_t end) const {
  return {origin_of(begin).begin, origin_of(end - 1).end};
}

AlignedText::Rewriter::Rewriter(AlignedText& text)
    : text_(text), out_(text.texts_[1 - text.current_]), origins_(text.all_origins_[1 - text.current_]) {
  out_.clear();
  origins_.clear();
}

void AlignedText::Rewriter::put(char32_t c, Origin origin) {
  append_character(out_, c);
  if (text_.track_ == Track::Yes) origins_.resize(out_.size(), origin);
}

AlignedText::Origin AlignedText::Rewriter::before() const { return at_ == 0 ? Origin{} : text_.origin_of(at_ - 1); }

void AlignedText::Rewriter::keep(std::size_t bytes) {
  out_.append(text_.text_, at_, bytes);
  if (text_.track_ == Track::Yes) {
    for (std::size_t i = at_; i < at_ + bytes; ++i) origins_.push_back(text_.origin_of(i));
  }
  at_ += bytes;
}

void AlignedText::Rewriter::drop(std::size_t bytes) { at_ += bytes; }

void AlignedText::Rewriter::replace(char32_t c, std::size_t dropped) {
  if (at_ >= text_.text_.size()) return insert(c);
  put(c, text_.track_ == Track::Yes ? text_.origin_of(at_) : Origin{});
  for (std::size_t i = 0; i <= dropped && at_ < text_.text_.size(); ++i) at_ += character_size(text_.text_[at_]);
}

void AlignedText::Rewriter::insert(char32_t c) { put(c, text_.track_ == Track::Yes ? before() : Origin{}); }

void AlignedText::Rewriter::insert_before(std::string_view characters) {
  out_ += characters;
  if (text_.track_ == Track::Yes) origins_.resize(out_.size(), text_.origin_of(at_));
}

void AlignedText::Rewriter::insert_after(std::string_view characters) {
  out_ += characters;
  if (text_.track_ == Track::Yes) origins_.resize(out_.size(), before());
}

void AlignedText::Rewriter::change(char32_t c, std::ptrdiff_t change) {
  if (change > 0) return insert(c);
  replace(c, static_cast<std::size_t>(-change));
}

void AlignedText::Rewriter::finish() {
  text_.current_ = 1 - text_.current_;
  text_.text_ = out_;
  text_.origins_ = text_.track_ == Track::Yes ? origins_.data() : nullptr;
  text_.rewritten_ = true;
}

}  // namespace diopter::text
