// [[expect]]: the numbers a study stands on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/node.hpp"
#include "study/problems.hpp"

namespace diopter::study {

// "resid/clean_metric", "resid/effect[layer=0,pos=10]": an output of a run, and which cell of it. A selector's value is
// an index (negative: from the end) or a coordinate label ("metric=logit_diff").
struct OutputRef {
  using Selector = std::pair<std::string, std::variant<std::int64_t, std::string>>;
  std::string run, output;
  std::vector<Selector> cell;  // as written
  std::string written;
};
std::optional<OutputRef> read_output_ref(const Node& value, Problems& problems);

struct Expectation {
  OutputRef of;
  double is = 0;
  double within = 0;
  std::vector<std::pair<std::string, base::Json>> when;  // dotted key of the run's config -> value; all must hold
  SourceSpan span;                                       // the [[expect]] header
  SourceSpan of_span;
};
// Nothing when it cannot be said what it is about; else what could be read, also when there are problems with the rest.
std::optional<Expectation> read_expectation(const Node& table, Problems& problems);

struct Outcome {
  enum class Status { Held, Missed, Absent, NotAsked };  // NotAsked: `when` does not hold for the run
  const Expectation* expectation = nullptr;
  Status status = Status::Held;
  double value = 0;
  std::string sentence;  // "resid/clean_metric is 4.300, expected 4.276 within 0.001 (off by 0.024)"
};

// The value of one output cell of the item that answers `run`; nothing when there is none. NaN never holds.
using OutputLookup = std::function<std::optional<double>(const OutputRef&)>;
// `config_of(run id)`: the config of the plan's item of that run, for `when`.
Outcome evaluate(const Expectation& expectation, const base::Json& config, const OutputLookup& lookup);

}  // namespace diopter::study
