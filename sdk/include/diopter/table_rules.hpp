// The rules of a table's rows, checked by the compiler in the author's build; the host checks them again when it opens
// a plugin.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include <diopter/abi.h>
#include <diopter/reserved_keys.hpp>

namespace diopter {
inline namespace abi1 {
namespace rules {

constexpr bool is_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name[0] < 'a' || name[0] > 'z') return false;
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

// Cuts the next word off `rest`; empty when there is none.
constexpr std::string_view next_word(std::string_view& rest, char separator) {
  while (!rest.empty() && rest.front() == separator) rest.remove_prefix(1);
  const std::size_t end = rest.find(separator);
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(word.size());
  return word;
}

constexpr bool contains_word(std::string_view list, std::string_view word, char separator) {
  for (std::string_view next = next_word(list, separator); !next.empty(); next = next_word(list, separator)) {
    if (next == word) return true;
  }
  return false;
}

constexpr bool are_distinct_names(std::string_view words) {
  for (std::string_view word = next_word(words, ' '); !word.empty(); word = next_word(words, ' ')) {
    if (!is_name(word) || contains_word(words, word, ' ')) return false;
  }
  return true;
}

constexpr bool are_dims(std::string_view alternatives) {
  for (std::string_view dims = next_word(alternatives, '|'); !dims.empty(); dims = next_word(alternatives, '|')) {
    if (!are_distinct_names(dims)) return false;
  }
  return true;
}

constexpr bool are_columns(std::string_view columns, std::string_view dims) {
  if (columns.find_first_not_of(' ') == std::string_view::npos) return false;
  for (std::string_view column = next_word(columns, ' '); !column.empty(); column = next_word(columns, ' ')) {
    const std::size_t colon = column.find(':');
    if (colon == std::string_view::npos || !is_name(column.substr(0, colon))) return false;
    if (!contains_word("int float text token", column.substr(colon + 1), ' ')) return false;
    if (contains_word(dims, column.substr(0, colon), ' ')) return false;
  }
  return true;
}

constexpr bool is_number(std::uint32_t type) {
  return type == DIOPTER_INT || type == DIOPTER_FLOAT || type == DIOPTER_INT_LIST || type == DIOPTER_FLOAT_LIST;
}
constexpr bool is_choice(std::uint32_t type) { return type == DIOPTER_CHOICE || type == DIOPTER_CHOICE_LIST; }

constexpr bool are_braces_balanced(std::string_view pattern) {
  bool open = false;
  for (const char c : pattern) {
    if ((c == '{' && open) || (c == '}' && !open)) return false;
    if (c == '{' || c == '}') open = !open;
  }
  return !open;
}

consteval void check_param(const diopter_param& row) {
  const std::string_view name = row.name;
  if (!is_name(name)) throw "the name of a parameter is [a-z][a-z0-9_]*, at most 64 characters";
  if (is_reserved_run_key(name))
    throw "this name is a key of [[run]] that belongs to the host; call the parameter something else";
  if (std::string_view(row.doc).empty()) throw "a parameter needs .doc, one sentence";
  if (!row.fallback && !row.example) throw "a parameter without .fallback needs an .example";
  if (is_choice(row.type) == std::string_view(row.choices).empty())
    throw "a Choice or ChoiceList needs .choices, other types take none";
  if (!(row.min <= row.max)) throw "the .min of a parameter is above its .max";
  const bool limited =
      row.min > -std::numeric_limits<double>::infinity() || row.max < std::numeric_limits<double>::infinity();
  if (limited && !is_number(row.type)) throw ".min and .max are for Int, Float, IntList and FloatList";
  if (!std::string_view(row.index_of).empty() && row.type != DIOPTER_INT && row.type != DIOPTER_INT_LIST) {
    throw ".index_of is for Int and IntList";
  }
}

consteval void check_output(const diopter_output& row) {
  if (!is_name(row.name)) throw "the name of an output is [a-z][a-z0-9_]*, at most 64 characters";
  if (std::string_view(row.doc).empty()) throw "an output needs .doc, one sentence";
  if (!are_dims(row.dims)) throw "dims are distinct names, as in \"prompt layer pos\" or \"layer pos|layer head\"";
  if (row.type == DIOPTER_TABLE && std::string_view(row.dims).find('|') != std::string_view::npos) {
    throw "a table has one set of dims; alternatives are for tensors";
  }
  if (row.type == DIOPTER_TABLE && !are_columns(row.columns, row.dims)) {
    throw "columns are NAME:TYPE with the types int, float, text and token, named otherwise than the dims";
  }
  const std::string_view better = row.better;
  if (!better.empty() && (row.type != DIOPTER_METRIC || (better != "higher" && better != "lower"))) {
    throw ".better is \"higher\" or \"lower\", for metrics";
  }
}

consteval void check_hook(const diopter_hook& row) {
  if (std::string_view(row.pattern).empty()) throw "a hook row needs a pattern, as in \"blocks.*.hook_resid_post\"";
  if (!are_braces_balanced(row.pattern)) throw "the braces of a hook pattern are not balanced";
  if (std::string_view(row.doc).empty()) throw "a hook row needs a reason, one sentence";
}

}  // namespace rules
}  // namespace abi1
}  // namespace diopter
