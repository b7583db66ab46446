// A text that is being normalised, and where in the original each of its bytes came from.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/regex.hpp"

namespace diopter::text {

enum class Track { No, Yes };

// Starts as a view of the original and stays one until something rewrites it. Reused from text to text: it keeps its
// memory. Not copyable; one thread.
class AlignedText {
 public:
  AlignedText() = default;
  AlignedText(const AlignedText&) = delete;
  AlignedText& operator=(const AlignedText&) = delete;

  // `part` of the original, which must outlive this. Without Track::Yes origins are known until it is rewritten.
  void start(std::string_view original, Span part, Track track);
  // `part` of another, which must outlive this and not be rewritten meanwhile.
  void start(const AlignedText& other, Span part);

  std::string_view text() const { return text_; }
  // The part of the original that [begin, end) of text() came from: from the first byte's origin to the last one's end,
  // in whole characters. begin < end; origins must be known.
  Span origin(std::size_t begin, std::size_t end) const;

  bool knows_origins() const { return origins_ || !rewritten_; }
  // Whether the byte at `at` came from the original's first character. Origins must be known.
  bool begins_the_original(std::size_t at) const { return origin_of(at).begin == 0; }

  class Rewriter;

 private:
  struct Origin {
    std::uint32_t begin = 0, end = 0;
  };
  Origin origin_of(std::size_t at) const;

  std::string_view text_;
  const Origin* origins_ = nullptr;  // of each byte; null: the text is the original's from `shift_` on
  std::size_t shift_ = 0;
  Track track_ = Track::No;
  bool rewritten_ = false;
  int current_ = 0;
  std::array<std::string, 2> texts_;
  std::array<std::vector<Origin>, 2> all_origins_;
};

// Makes the next state of a text from front to back; the old one stays readable until finish(). Where bytes are said to
// come from follows the tokenizers library, which the spans of tokens depend on.
class AlignedText::Rewriter {
 public:
  explicit Rewriter(AlignedText& text);

  void keep(std::size_t bytes);  // the next bytes stay as they are
  void drop(std::size_t bytes);  // the next bytes go
  // In place of the next character, and of `dropped` more after it. At the end of the text it is an insertion.
  void replace(char32_t c, std::size_t dropped = 0);
  void insert(char32_t c);                          // comes from where the byte before came from
  void insert_before(std::string_view characters);  // comes from where the next byte comes from
  void insert_after(std::string_view characters);   // as insert()
  // A change as the library counts them: 1 an insertion, 0 a replacement, -n a replacement that drops n more.
  void change(char32_t c, std::ptrdiff_t change);

  std::size_t size() const { return out_.size(); }  // of what was made so far
  void finish();                                    // what was not kept is gone

 private:
  void put(char32_t c, Origin origin);
  Origin before() const;

  AlignedText& text_;
  std::string& out_;
  std::vector<Origin>& origins_;
  std::size_t at_ = 0;
};

}  // namespace diopter::text
