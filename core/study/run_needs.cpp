#include "study/run_needs.hpp"

#include <fmt/format.h>

#include "study/metrics_block.hpp"

namespace diopter::study {
namespace {

void need_column(const Run& run, std::string_view column, const SourceSpan& span, const std::string& who,
                 Problems& problems) {
  if (!run.prompts || run.prompts->set == nullptr || run.prompts->set->has_column(column)) return;
  const std::string what = column == "corrupted" ? "'corrupted' text" : fmt::format("'{}'", column);
  problems.error(span,
                 fmt::format("{}, but the prompts of run '{}' have no {}; add it to every row", who, run.id, what));
}

}  // namespace

void check_prompt_needs(const Run& run, Problems& problems) {
  if (run.kind == nullptr) return;
  const bool pairs = (run.kind->needs & DIOPTER_NEEDS_PAIRS) != 0,
             answers = (run.kind->needs & DIOPTER_NEEDS_ANSWERS) != 0;
  if ((pairs || answers) && !run.spans.contains("prompts")) {
    problems.error(run.span, fmt::format("kind '{}' needs {}, but run '{}' names no prompts; add prompts = \"NAME\"",
                                         run.kind->name, pairs ? "prompt pairs" : "answers", run.id));
    return;
  }
  if (pairs) {
    need_column(run, "corrupted", run.where("prompts"), fmt::format("kind '{}' needs prompt pairs", run.kind->name),
                problems);
  }
  if (answers) {
    need_column(run, "answer", run.where("prompts"), fmt::format("kind '{}' needs answers", run.kind->name), problems);
  }
  for (const auto& param : run.params) {
    const auto* metrics = std::get_if<Metrics>(&param.value);
    if (metrics == nullptr) continue;
    for (std::size_t i = 0; i < metrics->names.size(); ++i) {
      const auto& name = metrics->names[i];
      const SourceSpan& span = i < param.element_spans.size() ? param.element_spans[i] : param.span;
      for (const auto column : columns_of_metric(name)) {
        need_column(run, column, span, fmt::format("metric '{}' needs '{}'", name, column), problems);
      }
    }
  }
}

}  // namespace diopter::study
