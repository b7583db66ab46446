// Rows of a kind's table: parameters, outputs, hooks, needs. `constexpr Row kTable[] = {param(...), tensor(...), ...};`
// A row that breaks a rule does not compile; the error shows the rule's sentence.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>

#include <diopter/abi.h>
#include <diopter/table_rules.hpp>

namespace diopter {
inline namespace abi1 {

// The type of a parameter and what Params::get reads it as. Place, PromptSet and FilePath are named so because
// Positions, Prompts and Path are classes.
enum ParamType : std::uint32_t {
  Int = DIOPTER_INT,                 // Index
  Float = DIOPTER_FLOAT,             // double
  Bool = DIOPTER_BOOL,               // bool
  String = DIOPTER_STRING,           // std::string
  FilePath = DIOPTER_PATH,           // Path, absolute; exists
  Choice = DIOPTER_CHOICE,           // std::string, one of .choices
  Token = DIOPTER_TOKEN,             // std::string that is exactly one token; Model::token gives its id
  Hooks = DIOPTER_HOOKS,             // HookSet
  Place = DIOPTER_POSITIONS,         // Positions
  PromptSet = DIOPTER_PROMPTS,       // Context::prompts(name)
  Input = DIOPTER_INPUT,             // Tensor, in run() only
  IntList = DIOPTER_INT_LIST,        // std::vector<Index>
  FloatList = DIOPTER_FLOAT_LIST,    // std::vector<double>
  StringList = DIOPTER_STRING_LIST,  // std::vector<std::string>, as the next two
  TokenList = DIOPTER_TOKEN_LIST,
  ChoiceList = DIOPTER_CHOICE_LIST,
  InputList = DIOPTER_INPUT_LIST,    // reserved
  MetricList = DIOPTER_METRIC_LIST,  // std::vector<Metric>; brings the keys at, normalise, min_gap
};

enum class Need : std::uint32_t {
  Grad = DIOPTER_NEEDS_GRAD,
  Pairs = DIOPTER_NEEDS_PAIRS,      // prompts with a corrupted text in every row
  Answers = DIOPTER_NEEDS_ANSWERS,  // prompts with an answer in every row
  Generation = DIOPTER_NEEDS_GENERATION,
  Tokenizer = DIOPTER_NEEDS_TOKENIZER,
  Weights = DIOPTER_NEEDS_WEIGHTS,    // Model::weight and logit_direction
  Training = DIOPTER_NEEDS_TRAINING,  // makes weights; such a run has no [model]
  Edits = DIOPTER_NEEDS_EDITS,        // takes [[run.edit]] blocks
};

struct ParamFacets {
  const char* fallback = nullptr;  // the default, as TOML; without one the parameter is required
  const char* example = nullptr;   // as TOML; needed when there is no fallback
  double min = -std::numeric_limits<double>::infinity(), max = std::numeric_limits<double>::infinity();  // inclusive
  const char* choices = "";                                                                              // "mean|zero"
  const char* index_of = "";  // "layer": a valid index of that axis of the model
  const char* unit = "";
  const char* doc = "";   // one sentence, required
  bool cosmetic = false;  // cannot change results; not in the fingerprint
};
struct OutputFacets {
  const char* unit = "";
  const char* better = "";  // metrics: "higher" or "lower"
  const char* doc = "";     // one sentence, required
  bool optional = false;    // else a run that ends without it has failed
};

struct Row {
  enum class Kind : std::uint8_t { Param, Output, Hook, Needs, Version } kind;
  diopter_param param{};
  diopter_output output{};
  diopter_hook hook{};
  std::uint32_t number = 0;  // bits of Needs; the version
};

consteval Row param(const char* name, ParamType type, ParamFacets facets) {
  const diopter_param row{name,
                          facets.doc,
                          facets.unit,
                          facets.fallback,
                          facets.example,
                          facets.choices,
                          facets.index_of,
                          type,
                          facets.cosmetic ? std::uint32_t{DIOPTER_COSMETIC} : 0,
                          facets.min,
                          facets.max};
  rules::check_param(row);
  return {.kind = Row::Kind::Param, .param = row};
}

namespace rules {
consteval Row output(const char* name, std::uint32_t type, const char* dims, const char* columns, OutputFacets facets) {
  const diopter_output row{name,    facets.doc,    facets.unit, dims,
                           columns, facets.better, type,        facets.optional ? 1u : 0u};
  check_output(row);
  return {.kind = Row::Kind::Output, .output = row};
}
consteval Row hook(const char* pattern, const char* why, std::uint32_t access) {
  const diopter_hook row{pattern, why, access, 0};
  check_hook(row);
  return {.kind = Row::Kind::Hook, .hook = row};
}
}  // namespace rules

// A number, with a step or without.
consteval Row metric(const char* name, OutputFacets facets) {
  return rules::output(name, DIOPTER_METRIC, "", "", facets);
}
// dims: "prompt layer pos", in storage order; alternatives "layer pos|layer head": the labels of the values choose.
consteval Row tensor(const char* name, const char* dims, OutputFacets facets) {
  return rules::output(name, DIOPTER_TENSOR, dims, "", facets);
}
// columns: "token:token prob:float"; types int, float, text, token.
consteval Row table(const char* name, const char* dims, const char* columns, OutputFacets facets) {
  return rules::output(name, DIOPTER_TABLE, dims, columns, facets);
}
consteval Row figure(const char* name, OutputFacets facets) {
  return rules::output(name, DIOPTER_FIGURE, "", "", facets);
}
consteval Row text(const char* name, OutputFacets facets) { return rules::output(name, DIOPTER_TEXT, "", "", facets); }
consteval Row file(const char* name, OutputFacets facets) { return rules::output(name, DIOPTER_FILE, "", "", facets); }
consteval Row model(const char* name, OutputFacets facets) {
  return rules::output(name, DIOPTER_MODEL, "", "", facets);
}
consteval Row dataset(const char* name, OutputFacets facets) {
  return rules::output(name, DIOPTER_DATASET, "", "", facets);
}

// Which hook points the kind looks at or changes, and why. {layer} is every layer; {name} inserts a parameter.
consteval Row observe(const char* pattern, const char* why) { return rules::hook(pattern, why, DIOPTER_OBSERVE); }
consteval Row edits(const char* pattern, const char* why) { return rules::hook(pattern, why, DIOPTER_EDIT); }

template <class... Needs>
consteval Row needs(Needs... bits) {
  static_assert(sizeof...(bits) > 0, "needs() names at least one Need");
  return {.kind = Row::Kind::Needs, .number = (static_cast<std::uint32_t>(bits) | ... | 0u)};
}
// Raised when the results of the kind change; part of every run's fingerprint. Without this row: 1.
consteval Row version(std::uint32_t number) {
  if (number == 0) throw "version() counts from 1";
  return {.kind = Row::Kind::Version, .number = number};
}

}  // namespace abi1
}  // namespace diopter
