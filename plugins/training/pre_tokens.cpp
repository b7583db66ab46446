#include "pre_tokens.hpp"

#include <string>

#include <diopter/error.hpp>

namespace training {
namespace {

enum class Class { Letter, Digit, Space, Other };

Class class_of(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return Class::Letter;
  if (c >= '0' && c <= '9') return Class::Digit;
  return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f') ? Class::Space : Class::Other;
}

std::size_t end_of_run(std::string_view text, std::size_t at) {
  const Class kind = class_of(text[at]);
  while (at < text.size() && class_of(text[at]) == kind) ++at;
  return at;
}

std::size_t contraction(std::string_view rest) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (rest.starts_with(ending)) return ending.size();
  }
  return 0;
}

std::size_t end_of_piece(std::string_view text, std::size_t at) {
  if (const std::size_t length = contraction(text.substr(at))) return at + length;
  if (class_of(text[at]) != Class::Space) return end_of_run(text, at);
  const bool before_word = text[at] == ' ' && at + 1 < text.size() && class_of(text[at + 1]) != Class::Space;
  if (before_word) return end_of_run(text, at + 1);
  const std::size_t end = end_of_run(text, at);
  // \s+(?!\S): the last space of a run is left to the word after it; \s+ takes a single one that is none.
  return end == text.size() || end == at + 1 ? end : end - 1;
}

}  // namespace

std::vector<std::string_view> pre_tokens(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = end_of_piece(text, at);
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) > 127) {
      throw diopter::Error("the corpus must be ASCII; \"" + std::string(text) + "\" is not. Change the lexicon.");
    }
  }
  return out;
}

}  // namespace training
