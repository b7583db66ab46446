#include "base/glob.hpp"

#include <charconv>
#include <cstdint>

#include "base/error.hpp"

namespace diopter::base {
namespace {

constexpr std::size_t kLimit = 10'000;

[[noreturn]] void malformed(std::string_view pattern, const std::string& why) {
  throw UserError(Exit::Usage, "'" + std::string(pattern) + "' is not a pattern: " + why + "; write {0..5} or {a,b}");
}

bool parse_whole(std::string_view text, std::uint64_t& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && result.ec == std::errc() && result.ptr == text.data() + text.size();
}

std::vector<std::string> choices(std::string_view inside, std::string_view pattern) {
  std::vector<std::string> out;
  if (inside.find('{') != std::string_view::npos) malformed(pattern, "braces inside braces");
  if (const auto dots = inside.find(".."); dots != std::string_view::npos) {
    std::uint64_t from = 0, to = 0;
    if (!parse_whole(inside.substr(0, dots), from) || !parse_whole(inside.substr(dots + 2), to)) {
      malformed(pattern, "a range needs two whole numbers");
    }
    if (from > to || to - from >= kLimit) malformed(pattern, "the range is empty or too long");
    for (std::uint64_t i = 0; i <= to - from; ++i) out.push_back(std::to_string(from + i));
    return out;
  }
  for (std::size_t start = 0;;) {
    const auto comma = inside.find(',', start);
    out.emplace_back(inside.substr(start, comma - start));
    if (out.back().empty()) malformed(pattern, "a choice is empty");
    if (comma == std::string_view::npos) return out;
    start = comma + 1;
  }
}

}  // namespace

std::vector<std::string> expand_braces(std::string_view pattern) {
  std::vector<std::string> out{""};
  for (std::size_t i = 0; i < pattern.size();) {
    if (pattern[i] == '}') malformed(pattern, "'}' without '{'");
    if (pattern[i] != '{') {
      for (auto& name : out) name += pattern[i];
      ++i;
      continue;
    }
    const auto close = pattern.find('}', i);
    if (close == std::string_view::npos) malformed(pattern, "'{' without '}'");
    std::vector<std::string> next;
    for (const auto& head : out) {
      for (const auto& choice : choices(pattern.substr(i + 1, close - i - 1), pattern)) {
        next.push_back(head + choice);
        if (next.size() > kLimit) malformed(pattern, "it expands to more than 10,000 names");
      }
    }
    out = std::move(next);
    i = close + 1;
  }
  return out;
}

bool matches_glob(std::string_view name, std::string_view pattern) {
  // Greedy with one backtrack point; '*' never matches a dot.
  std::size_t n = 0, p = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos && name[resume] != '.') {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace diopter::base
