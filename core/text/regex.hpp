// A compiled PCRE2 pattern over UTF-8 with Unicode properties, run by its JIT where there is one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace diopter::text {

// Half-open range of byte offsets.
struct Span {
  std::size_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

struct RegexError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Regex {
 public:
  // A pattern of our own that does not compile is a bug, one from a file a RegexError.
  enum class Source { Program, File };
  explicit Regex(const std::string& pattern, Source source = Source::Program);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // What one thread needs to match; belongs to no particular pattern.
  class Workspace {
   public:
    Workspace();
    ~Workspace();
    Workspace(Workspace&&) noexcept;

   private:
    friend class Regex;
    struct State;
    std::unique_ptr<State> state_;
  };

  bool matches_empty() const;  // whether it can match no characters

  // The first match that begins at or after `from`. `text` must be valid UTF-8, `from` at a character.
  // UserError(Refused) when a file's pattern takes PCRE2 to its limit. [any thread]
  std::optional<Span> find(std::string_view text, std::size_t from, Workspace& workspace) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
  Source source_;
};

}  // namespace diopter::text
