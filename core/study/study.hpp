// A checked study: the manifest with overrides and defaults applied, every run typed against its kind's table.
//
//   Problems problems;
//   std::optional<Study> study = read_study(file, options, problems);   // all that can be checked without model and
//   weights
//   ... the caller adds what it finds (hook globs, answers against the tokenizer, lengths) at the spans kept here ...
//   if (!problems.ok()) { print problems.text(); exit 2; }
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diopter/abi.h"
#include "study/edit.hpp"
#include "study/execution.hpp"
#include "study/expect.hpp"
#include "study/model_settings.hpp"
#include "study/param_value.hpp"
#include "study/problems.hpp"
#include "study/prompts.hpp"
#include "study/report_spec.hpp"

namespace diopter::study {

struct Experiment {
  std::string name, about;
  std::vector<std::string> tags;
};

struct Run {
  std::string id;    // default: its kind
  std::string name;  // for people; default: the id
  std::string note;
  std::vector<std::string> tags;
  std::string kind_written;            // "patching" or "org.example.lens:patching"
  const diopter_kind* kind = nullptr;  // owned by whoever answered find_kind
  std::int64_t seed = 0;
  std::optional<ModelSettings> model;  // nothing: the kind trains its own weights
  std::optional<PromptsRef> prompts;
  std::vector<std::string> needs;    // ids of runs
  int stage = 0;                     // 0: needs nothing; else 1 + the largest stage of what it needs
  std::vector<CheckedParam> params;  // complete, in the order of the kind's table
  std::vector<Edit> edits;
  SourceSpan span;                          // the [[run]] header
  std::map<std::string, SourceSpan> spans;  // of the reserved keys' values: "kind", "prompts", "needs" ...

  const CheckedParam* param(std::string_view name) const;
  SourceSpan where(std::string_view key) const;  // of a parameter or reserved key; the header when it was not given
};

struct Study {
  std::string file;              // as given
  std::filesystem::path folder;  // absolute; what relative paths start from
  std::string source;            // the manifest, verbatim
  std::vector<std::string> overrides;
  Experiment experiment;
  std::vector<std::shared_ptr<const PromptSet>> prompts;  // each set a run uses, for the run's model
  std::vector<Run> runs;                                  // in the order of the file
  std::vector<Expectation> expectations;
  std::vector<ReportSpec> reports;
  Execution execution;

  const Run* run(std::string_view id) const;
  std::vector<const Run*> in_order() const;  // by stage, then file order: every run after what it needs
};

struct KindAnswer {
  const diopter_kind* kind = nullptr;  // must outlive the Study
  std::string problem;  // why not, one sentence ("no plugin offers kind 'x' (did you mean ...)"); when kind is nullptr
};

struct StudyOptions {
  std::vector<std::string> overrides;                          // "model.source=gpt2"
  std::function<KindAnswer(std::string_view name)> find_kind;  // required
  SizesOf sizes_of;                                            // optional: for index_of and "all"
  std::function<std::string(const ModelSettings&)>
      family_of;  // optional: for [prompts.X.for."family:llama"]; "" unknown
};

// A missing or unreadable manifest is a problem too. nullopt: so broken that there is nothing to look at (syntax, not a
// file).
std::optional<Study> read_study(const std::filesystem::path& file, const StudyOptions& options, Problems& problems);
std::optional<Study> read_study_text(std::string text, const std::filesystem::path& file, const StudyOptions& options,
                                     Problems& problems);

// The resolved manifest: overrides and defaults applied, lists expanded. What `diopter show --config` starts from.
base::Json resolved_json(const Study& study);
// The same as TOML that reruns it (one run: `run_id`; "" for all).
std::string resolved_toml(const Study& study, std::string_view run_id = {});

}  // namespace diopter::study
