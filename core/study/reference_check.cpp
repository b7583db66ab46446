#include "study/reference_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hints.hpp"
#include "study/kind_table.hpp"
#include "study/run_config.hpp"

namespace diopter::study {
namespace {

const char* output_type_name(std::uint32_t type) {
  switch (type) {
    case DIOPTER_METRIC: return "a metric";
    case DIOPTER_TENSOR: return "a tensor";
    case DIOPTER_TABLE: return "a table";
    case DIOPTER_FIGURE: return "a figure";
    case DIOPTER_TEXT: return "a text";
    case DIOPTER_FILE: return "a file";
    case DIOPTER_MODEL: return "a model";
    case DIOPTER_DATASET: return "a data set";
    default: return "of an unknown type";
  }
}

const Run* find_run(const Study& study, const std::string& id, const SourceSpan& span, Problems& problems) {
  if (const Run* run = study.run(id)) return run;
  std::vector<std::string> ids;
  for (const auto& run : study.runs) ids.push_back(run.id);
  problems.error(span, fmt::format("no run has the id '{}'{}", id, base::did_you_mean(id, ids)));
  return nullptr;
}

// Nothing: a problem was added, or the run's kind is unknown (which has its own).
std::optional<diopter_output> find_output(const Run& run, const std::string& name, const SourceSpan& span,
                                          Problems& problems) {
  if (run.kind == nullptr) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& output : outputs_of(*run.kind)) {
    if (name == output.name) return output;
    names.emplace_back(output.name);
  }
  problems.error(span,
                 fmt::format("run '{}' (kind '{}') has no output '{}'{}", run.id, run.kind->name, name,
                             base::did_you_mean(name, names, fmt::format("diopter plugin show {}", run.kind->name))));
  return std::nullopt;
}

void check_cell(const OutputRef& of, const diopter_output& output, const SourceSpan& span, Problems& problems) {
  if (output.type == DIOPTER_METRIC) {
    if (!of.cell.empty())
      problems.error(span, fmt::format("'{}' is a metric, one number; remove the brackets", of.output));
    return;
  }
  const auto alternatives = split_words(output.dims, '|');
  std::vector<std::string> all;
  for (const auto& alternative : alternatives) {
    for (auto& dim : split_words(alternative, ' ')) {
      if (std::find(all.begin(), all.end(), dim) == all.end()) all.push_back(std::move(dim));
    }
  }
  for (const auto& [dim, value] : of.cell) {
    if (std::find(all.begin(), all.end(), dim) == all.end()) {
      problems.error(span, fmt::format("'{}' has no dimension '{}'{}", of.output, dim, base::did_you_mean(dim, all)));
      return;
    }
  }
  const bool fits =
      alternatives.empty() || std::any_of(alternatives.begin(), alternatives.end(), [&](const auto& alternative) {
        const auto dims = split_words(alternative, ' ');
        return dims.size() == of.cell.size() && std::all_of(of.cell.begin(), of.cell.end(), [&](const auto& selector) {
                 return std::find(dims.begin(), dims.end(), selector.first) != dims.end();
               });
      });
  if (fits) return;
  std::string example;
  for (const auto& dim : split_words(alternatives.front(), ' ')) example += (example.empty() ? "" : ",") + dim + "=0";
  problems.error(span, fmt::format("'{}' has the dimensions {}; say which cell: \"{}/{}[{}]\"", of.output,
                                   base::join(alternatives, "or"), of.run, of.output, example));
}

void check_expectation(const Study& study, const Expectation& e, Problems& problems) {
  const Run* run = find_run(study, e.of.run, e.of_span, problems);
  if (run == nullptr) return;
  if (const auto output = find_output(*run, e.of.output, e.of_span, problems)) {
    if (output->type != DIOPTER_METRIC && output->type != DIOPTER_TENSOR) {
      problems.error(e.of_span, fmt::format("'{}' is {}, but only metrics and tensors can be expected", e.of.written,
                                            output_type_name(output->type)));
    } else {
      check_cell(e.of, *output, e.of_span, problems);
    }
  }
  const base::Json config = run_config(*run);
  for (const auto& [key, value] : e.when) {
    if (run->kind == nullptr || find_dotted(config, key) != nullptr) continue;
    problems.error(e.span, fmt::format("'when' asks for '{}', which run '{}' does not have{}", key, run->id,
                                       base::did_you_mean(key, dotted_keys(config))));
  }
}

void check_figure(const Study& study, const FigureSpec& figure, Problems& problems) {
  const Run* run = find_run(study, figure.of.run, figure.of_span, problems);
  if (run == nullptr) return;
  const auto output = find_output(*run, figure.of.output, figure.of_span, problems);
  if (!output) return;
  if (output->type == DIOPTER_MODEL || output->type == DIOPTER_DATASET || output->type == DIOPTER_FILE) {
    problems.error(figure.of_span,
                   fmt::format("'{}' is {}, which cannot be drawn", figure.of.written, output_type_name(output->type)));
  }
}

void check_dataset(const Study& study, const Run& reader, const PromptsRef& ref, const SourceSpan& span,
                   Problems& problems) {
  if (ref.run.empty()) return;
  const Run* producer = find_run(study, ref.run, span, problems);
  if (producer == nullptr) return;
  const auto output = find_output(*producer, ref.output, span, problems);
  if (output && output->type != DIOPTER_DATASET) {
    problems.error(span,
                   fmt::format("'{}' is {}, but prompts need a data set", ref.written, output_type_name(output->type)));
  }
  if (std::find(reader.needs.begin(), reader.needs.end(), ref.run) == reader.needs.end()) {
    problems.error(span, fmt::format("run '{}' reads '{}' but does not need '{}'; add needs = [\"{}\"]", reader.id,
                                     ref.written, ref.run, ref.run));
  }
}

}  // namespace

void check_references(const Study& study, Problems& problems) {
  for (const auto& run : study.runs) {
    if (run.prompts) check_dataset(study, run, *run.prompts, run.where("prompts"), problems);
    for (const auto& param : run.params) {
      if (const auto* ref = std::get_if<PromptsRef>(&param.value))
        check_dataset(study, run, *ref, param.span, problems);
    }
  }
  for (const auto& e : study.expectations) check_expectation(study, e, problems);
  for (const auto& report : study.reports) {
    for (const auto& figure : report.figures) check_figure(study, figure, problems);
  }
}

}  // namespace diopter::study
