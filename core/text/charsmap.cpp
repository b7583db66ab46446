#include "text/charsmap.hpp"

#include <utf8proc.h>

#include "base/utf8.hpp"
#include "text/characters.hpp"

namespace diopter::text {
namespace {

constexpr std::size_t kWholeGrapheme = 5;  // bytes

// The fields of a unit of darts-clone.
bool has_value(std::uint32_t unit) { return (unit >> 8 & 1) == 1; }
std::uint32_t value_of(std::uint32_t unit) { return unit & 0x7fffffff; }
std::uint32_t label_of(std::uint32_t unit) { return unit & 0x800000ff; }
std::size_t offset_of(std::uint32_t unit) { return static_cast<std::size_t>(unit >> 10) << ((unit & 0x200) >> 6); }

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 4; i > 0; --i) out = out << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return out;
}

struct Change {
  char32_t c;
  std::ptrdiff_t change;
};

// A rule's characters, with how the library counts them: what is more than before is inserted, what is fewer is dropped
// after the last one, even when that stands before the rule.
void add_replacement(std::vector<Change>& changes, std::string_view before, std::string_view after) {
  const std::vector<char32_t> old = base::code_points(before), fresh = base::code_points(after);
  for (std::size_t i = 0; i < fresh.size(); ++i) changes.push_back({fresh[i], i < old.size() ? 0 : 1});
  if (fresh.size() < old.size() && !changes.empty()) {
    changes.back().change -= static_cast<std::ptrdiff_t>(old.size() - fresh.size());
  }
}

// Bytes of the grapheme at `at`.
std::size_t grapheme_size(std::string_view text, std::size_t at) {
  std::size_t end = at + character_size(text[at]);
  auto before = static_cast<utf8proc_int32_t>(character_at(text, at));
  utf8proc_int32_t state = 0;
  while (end < text.size()) {
    const auto next = static_cast<utf8proc_int32_t>(character_at(text, end));
    if (utf8proc_grapheme_break_stateful(before, next, &state)) break;
    end += character_size(text[end]);
    before = next;
  }
  return end - at;
}

}  // namespace

std::optional<Charsmap> Charsmap::parse(std::string_view blob) {
  if (blob.size() < 4) return std::nullopt;
  const std::size_t trie = little_endian(blob, 0);
  if (trie % 4 != 0 || trie == 0 || trie > blob.size() - 4) return std::nullopt;
  Charsmap out;
  out.units_.reserve(trie / 4);
  for (std::size_t at = 4; at < 4 + trie; at += 4) out.units_.push_back(little_endian(blob, at));
  out.replacements_ = blob.substr(4 + trie);
  if (base::invalid_utf8_offset(out.replacements_)) return std::nullopt;
  return out;
}

std::optional<std::string_view> Charsmap::replacement(std::string_view key) const {
  std::size_t at = offset_of(units_[0]);
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    at ^= byte;
    if (byte == 0 || at >= units_.size() || label_of(units_[at]) != byte) return std::nullopt;
    const bool leaf = has_value(units_[at]);
    at ^= offset_of(units_[at]);
    if (!leaf) continue;
    if (at >= units_.size()) return std::nullopt;
    const std::size_t begin = value_of(units_[at]);
    if (begin > replacements_.size()) return std::nullopt;
    const std::string_view rest = std::string_view(replacements_).substr(begin);
    if (!rest.empty() && is_continuation(rest[0])) return std::nullopt;  // a broken file's
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

void Charsmap::apply(AlignedText& aligned) const {
  const std::string_view text = aligned.text();
  std::vector<Change> changes;
  bool modified = false;
  const auto rule = [&](std::string_view part) {
    const auto found = replacement(part);
    if (found) add_replacement(changes, part, *found);
    modified = modified || found;
    return found.has_value();
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = grapheme_size(text, at), end = at + size;
    if (size <= kWholeGrapheme && rule(text.substr(at, size))) {
      at = end;
      continue;
    }
    for (; at < end; at += character_size(text[at])) {
      if (!rule(text.substr(at, character_size(text[at])))) changes.push_back({character_at(text, at), 0});
    }
  }
  if (!modified) return;
  AlignedText::Rewriter out(aligned);
  for (const Change& next : changes) out.change(next.c, next.change);
  out.finish();
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    std::uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z') digit = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z') digit = static_cast<std::uint32_t>(c - 'a') + 26;
    else if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0') + 52;
    else if (c == '+') digit = 62;
    else if (c == '/') digit = 63;
    else return std::nullopt;
    bits = bits << 6 | digit;
    if ((count += 6) >= 8) out += static_cast<char>(static_cast<unsigned char>(bits >> (count -= 8)));
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += at + i > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * i) & 63];
    }
  }
  return out;
}

}  // namespace diopter::text
