// Which positions of a prompt: the `positions` and `sources` of [[run.edit]], `at` of metrics, DIOPTER_POSITIONS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/node.hpp"
#include "study/problems.hpp"

namespace diopter::study {

struct PositionTerm {
  enum class Kind { All, Prompt, Generated, Last, From, Indices, Token };
  Kind kind = Kind::All;
  std::vector<std::int64_t> indices;  // Indices; negative ones count from the end of the row's own prompt
  std::int64_t first = 0;             // From
  std::string token;                  // Token: exactly one token, checked by who has the tokenizer
  std::int64_t occurrence = 1;        // Token: from 1; negative from the end
  std::int64_t offset = 0;            // Token: added to its position
  bool operator==(const PositionTerm&) const = default;
};

// A union of terms. Written: -2 | [0, 3] | "all" | "prompt" | "generated" | "last" | "from:5" | "last+generated" |
// { token = " :", occurrence = 1, offset = 0 }.
struct Positions {
  std::vector<PositionTerm> terms = {PositionTerm{}};
  bool operator==(const Positions&) const = default;
  static Positions last();
};

std::optional<Positions> read_positions(const Node& node, Problems& problems);  // nothing: a problem was added
base::Json to_json(const Positions& positions);  // canonical: equal selections, equal JSON

}  // namespace diopter::study
