#include "sentences.hpp"

#include <cctype>

#include <diopter/error.hpp>

namespace training {
namespace {

bool is_slot(std::string_view pattern, std::size_t i) {
  return pattern[i] == '{' && i + 2 < pattern.size() && pattern[i + 2] == '}';
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::string fill(std::string_view pattern, std::initializer_list<Slot> slots) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (!is_slot(pattern, i)) {
      out += pattern[i];
      continue;
    }
    bool found = false;
    for (const Slot& slot : slots) {
      if (slot.letter != pattern[i + 1]) continue;
      out += slot.text;
      found = true;
      break;
    }
    if (!found) {
      throw diopter::Error("the lexicon's template \"" + std::string(pattern) + "\" has {" + pattern[i + 1] +
                           "}, which sentences of its kind do not have.");
    }
    i += 2;
  }
  return out;
}

std::string capitalised(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string spaced(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool mark = text[i] == ',' || text[i] == '.' || text[i] == ':';
    if (mark && i > 0 && is_word(text[i - 1])) out += ' ';
    out += text[i];
  }
  return out;
}

std::string_view before_answer(std::string_view pattern, std::string_view answers) {
  for (std::size_t i = pattern.size(); i-- > 0;) {
    if (is_slot(pattern, i) && answers.find(pattern[i + 1]) != std::string_view::npos) {
      const std::string_view before = pattern.substr(0, i);
      return before.empty() || before.back() != ' ' ? before : before.substr(0, before.size() - 1);
    }
  }
  throw diopter::Error("the lexicon's template \"" + std::string(pattern) + "\" has no slot for the answer (" +
                       std::string(answers) + ").");
}

}  // namespace training
