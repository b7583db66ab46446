// A compiled PCRE2 pattern over UTF-8 with Unicode properties, run by its JIT where there is one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace diopter::text {

// Half-open range of byte offsets.
struct Span {
  std::size_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

class Regex {
 public:
  explicit Regex(const std::string& pattern);  // our own pattern: one that does not compile is a bug
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

  // The first match that begins at or after `from`. `text` must be valid UTF-8, `from` at a character. [any thread]
  std::optional<Span> find(std::string_view text, std::size_t from, Workspace& workspace) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace diopter::text
