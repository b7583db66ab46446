#include "engine/text_stream.hpp"

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace diopter::engine {
namespace {

// The first byte of the stop string that ends first, of several the longest; only ends beyond `known` are new.
std::optional<std::size_t> stop_in(std::string_view text, std::size_t known, const std::vector<std::string>& stops) {
  for (std::size_t end = known + 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const std::string& stop : stops) {
      if (text.substr(0, end).ends_with(stop)) longest = std::max(longest, stop.size());
    }
    if (longest > 0) return end - longest;
  }
  return std::nullopt;
}

// How many bytes at the end may be the beginning of a stop string.
std::size_t claimed(std::string_view text, const std::vector<std::string>& stops) {
  std::size_t most = 0;
  for (const std::string& stop : stops) {
    for (std::size_t n = std::min(stop.size() - 1, text.size()); n > most; --n) {
      if (text.ends_with(std::string_view(stop).substr(0, n))) most = n;
    }
  }
  return most;
}

// How many bytes at the end are a character that further bytes may complete.
std::size_t unfinished(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto lead = static_cast<unsigned char>(text[text.size() - back]);
    if ((lead & 0xC0) == 0x80) continue;  // inside a character
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length <= back) return 0;
    // Complete it with continuation bytes: only what is then well-formed can become a character.
    for (const char next : {'\x80', '\xBF'}) {
      std::string tried(text.substr(text.size() - back));
      tried.resize(length, next);
      if (!base::invalid_utf8_offset(tried)) return back;
    }
    return 0;
  }
  return 0;
}

}  // namespace

std::string TextStream::released(std::size_t bytes) {
  const std::string text = base::replace_invalid_utf8(std::string_view(held_).substr(0, bytes));
  held_.erase(0, bytes);
  return text;
}

std::string TextStream::add(std::string_view bytes) {
  DIOPTER_CHECK(!stopped_, "a text goes on after its stop string");
  const std::size_t known = held_.size();
  held_ += bytes;
  if (const auto stop = stop_in(held_, known, *stops_)) {
    stopped_ = true;
    held_.resize(*stop);
    return released(held_.size());
  }
  const std::string_view free = std::string_view(held_).substr(0, held_.size() - claimed(held_, *stops_));
  return released(free.size() - unfinished(free));
}

std::string TextStream::finish() { return released(held_.size()); }

}  // namespace diopter::engine
