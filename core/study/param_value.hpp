// Typed, checked parameter values: what the validator makes of a run's TOML and a plugin's table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/positions.hpp"
#include "study/prompts.hpp"
#include "study/source_span.hpp"

namespace diopter::study {

struct HookGlobs {  // DIOPTER_HOOKS: one name or glob, or a list; checked against the model by who knows its hooks
  std::vector<std::string> globs;
};
struct Metrics {  // DIOPTER_METRIC_LIST together with the keys it brings to the run
  std::vector<std::string> names;
  Positions at = Positions::last();
  bool normalise = false;  // normalise = "clean_corrupted" | "none"
  double min_gap = 0.1;    // logit
};
struct PromptsRef {                      // `prompts` of a run, or DIOPTER_PROMPTS
  std::string written;                   // "ioi" or "@corpus/documents"
  std::shared_ptr<const PromptSet> set;  // for the run's model; nullptr for an output
  std::string run, output;               // of "@run/output"; else empty
};
// A file or prompt set whose default is "" is optional: empty path, empty `written` then.
struct InputFile {  // DIOPTER_INPUT
  std::string written;
  std::filesystem::path path;
};

using ParamValue = std::variant<std::int64_t,           // INT
                                double,                 // FLOAT
                                bool,                   // BOOL
                                std::string,            // STRING, CHOICE, TOKEN
                                std::filesystem::path,  // PATH, absolute
                                HookGlobs, Positions, PromptsRef, InputFile,
                                std::vector<std::int64_t>,  // INT_LIST
                                std::vector<double>,        // FLOAT_LIST
                                std::vector<std::string>,   // STRING_LIST, TOKEN_LIST, CHOICE_LIST
                                std::vector<InputFile>,     // INPUT_LIST
                                Metrics>;                   // METRIC_LIST

struct CheckedParam {
  std::string name;
  std::uint32_t type = 0;  // DIOPTER_INT ... of abi.h
  ParamValue value;
  base::Json json;  // canonical form: expanded, coerced (2 for a float is 2.0), choices folded; no paths resolved
  bool cosmetic = false;
  bool given = false;    // false: the default
  bool brought = false;  // `at`, `normalise`, `min_gap`: no row of the table, they came with its METRIC_LIST
  bool all = false;  // written "all"; `value` is expanded when the axis size is known and does not depend on the prompt
  SourceSpan key_span, span;              // of key and value; of the run when not given
  std::vector<SourceSpan> element_spans;  // lists as written
};

}  // namespace diopter::study
