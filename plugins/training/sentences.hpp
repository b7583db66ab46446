// Templates to text, and the two spellings of a document.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace training {

struct Slot {
  char letter;
  std::string_view text;
};

// Replaces each {letter}; a letter that no slot gives is a diopter::Error.
std::string fill(std::string_view pattern, std::initializer_list<Slot> slots);
std::string capitalised(std::string text);  // first letter in upper case
// Puts a space before each , . : that follows a letter, a digit or an underscore: "store, John" -> "store , John".
std::string spaced(std::string_view text);
// The template up to the last {letter} of `answers`, without the space before it: what stands before the answer.
std::string_view before_answer(std::string_view pattern, std::string_view answers);

}  // namespace training
