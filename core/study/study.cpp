#include "study/study.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/files.hpp"
#include "study/model_reader.hpp"
#include "study/overrides.hpp"
#include "study/prompt_sets.hpp"
#include "study/reference_check.hpp"
#include "study/run_needs.hpp"
#include "study/run_order.hpp"
#include "study/run_reader.hpp"
#include "study/table_reader.hpp"
#include "study/toml_reader.hpp"

namespace diopter::study {
namespace {

constexpr std::int64_t kSchema = 1;

void check_schema(TableReader& root) {
  const Member* schema = root.take("schema");
  SourceSpan top = root.table().span;
  top.length = 1;
  if (schema == nullptr) {
    root.problems().error(top, fmt::format("the manifest does not say its schema; add schema = {}", kSchema));
  } else if (!schema->value.is(Node::Type::Integer) || schema->value.integer != kSchema) {
    root.problems().error(schema->value.span,
                          fmt::format("schema is {}, but this version reads schema {}", brief(schema->value), kSchema));
  }
}

bool is_experiment_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

// The table under `key`; nullptr when there is none, or when it is something else (a problem was added).
const Node* section(TableReader& root, std::string_view key) {
  const Member* m = root.take(key);
  if (m == nullptr) return nullptr;
  if (m->value.is(Node::Type::Table)) return &m->value;
  root.problems().error(m->value.span,
                        fmt::format("'{}' is {}, not a table; write [{}]", key, type_name(m->value), key));
  return nullptr;
}

Experiment read_experiment(TableReader& root) {
  Experiment out;
  Problems& problems = root.problems();
  const Node* table = section(root, "experiment");
  if (table == nullptr) {
    SourceSpan top = root.table().span;
    top.length = 1;
    if (root.table().find("experiment") == nullptr) problems.error(top, "the manifest needs [experiment] with a name");
    return out;
  }
  TableReader reader(*table, "[experiment]", problems);
  if (reader.require("name", "name = \"ioi-patching\"") != nullptr) {
    if (const auto name = reader.string("name")) {
      out.name = *name;
      if (!is_experiment_name(out.name)) {
        problems.error(table->find("name")->value.span,
                       fmt::format("'{}' cannot name an experiment; use a-z, 0-9, '.', '_' and '-'", out.name));
      }
    }
  }
  out.about = reader.string("about").value_or("");
  out.tags = reader.strings("tags").value_or(std::vector<std::string>{});
  reader.finish();
  return out;
}

// The tables of [[key]]; empty when there are none or something else stands there (a problem was added).
const std::vector<Node>& tables(TableReader& root, std::string_view key) {
  static const std::vector<Node> kNone;
  const Member* m = root.take(key);
  if (m == nullptr || !is_table_list(*m, key, root.problems())) return kNone;
  return m->value.items;
}

void read_runs(Study& study, TableReader& root, const StudyOptions& options, const Folder& folder,
               const Node* model_table) {
  Problems& problems = root.problems();
  ModelSettings model;
  model.span = root.table().span;
  if (model_table != nullptr) {
    model.span = model_table->span;
    model = read_model(*model_table, "[model]", model, folder.path, problems);
  }
  const Member* prompts = root.take("prompts");
  PromptSets sets(prompts == nullptr ? nullptr : &prompts->value, folder, options.family_of, problems);
  const auto& run_tables = tables(root, "run");
  for (const auto& table : run_tables)
    study.runs.push_back(read_run(table, {options, folder, model_table, model, sets, problems}));
  order_runs(study.runs, run_tables, problems);
  for (const auto& run : study.runs) check_prompt_needs(run, problems);
  sets.finish(model.source.empty() ? nullptr : &model);
  study.prompts = sets.used();
  if (root.table().find("run") == nullptr) {
    SourceSpan top = root.table().span;
    top.length = 1;
    problems.error(top, "the manifest has no [[run]], so there is nothing to do");
  }
}

}  // namespace

const CheckedParam* Run::param(std::string_view wanted) const {
  const auto found =
      std::find_if(params.begin(), params.end(), [&](const CheckedParam& p) { return p.name == wanted; });
  return found == params.end() ? nullptr : &*found;
}

SourceSpan Run::where(std::string_view key) const {
  const auto found = spans.find(std::string(key));
  return found == spans.end() ? span : found->second;
}

const Run* Study::run(std::string_view id) const {
  const auto found = std::find_if(runs.begin(), runs.end(), [&](const Run& r) { return r.id == id; });
  return found == runs.end() ? nullptr : &*found;
}

std::vector<const Run*> Study::in_order() const {
  std::vector<const Run*> out;
  for (const auto& one : runs) out.push_back(&one);
  std::stable_sort(out.begin(), out.end(), [](const Run* a, const Run* b) { return a->stage < b->stage; });
  return out;
}

std::optional<Study> read_study(const std::filesystem::path& file, const StudyOptions& options, Problems& problems) {
  std::error_code ignored;
  const SourceSpan nowhere{file.string(), 0, 0, 0, 0};
  if (!std::filesystem::exists(file, ignored)) {
    problems.error(nowhere, "there is no such file");
    return std::nullopt;
  }
  if (std::filesystem::is_directory(file, ignored)) {
    problems.error(nowhere, "is a directory, not a manifest");
    return std::nullopt;
  }
  if (!std::filesystem::is_regular_file(file, ignored)) {
    problems.error(nowhere, "is not a regular file");
    return std::nullopt;
  }
  std::string text;
  try {
    text = base::read_file(file);
  } catch (const base::UserError& e) {
    problems.error({}, e.what());
    return std::nullopt;
  }
  return read_study_text(std::move(text), file, options, problems);
}

std::optional<Study> read_study_text(std::string text, const std::filesystem::path& file, const StudyOptions& options,
                                     Problems& problems) {
  auto root = read_toml(text, file.string(), problems);
  if (!root) return std::nullopt;
  for (std::size_t i = 0; i < options.overrides.size(); ++i) {
    apply_override(*root, options.overrides[i], static_cast<int>(i) + 1, problems);
  }
  Study study;
  study.file = file.string();
  study.folder = std::filesystem::absolute(file).lexically_normal().parent_path();
  study.source = std::move(text);
  study.overrides = options.overrides;
  const Folder folder{study.folder, file.parent_path()};

  TableReader reader(*root, "the manifest", problems);
  check_schema(reader);
  if (const Node* execution = section(reader, "execution")) study.execution = read_execution(*execution, problems);
  problems.set_strict(study.execution.strict);
  study.experiment = read_experiment(reader);
  const Node* model_table = section(reader, "model");
  read_runs(study, reader, options, folder, model_table);
  for (const auto& table : tables(reader, "expect")) {
    if (auto e = read_expectation(table, problems)) study.expectations.push_back(std::move(*e));
  }
  for (const auto& table : tables(reader, "report")) {
    study.reports.push_back(read_report(table, problems));
  }
  reader.finish();
  check_references(study, problems);
  return study;
}

}  // namespace diopter::study
