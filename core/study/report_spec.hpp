// [[report]] and [[report.figure]]: which page shows what.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/expect.hpp"
#include "study/node.hpp"
#include "study/problems.hpp"

namespace diopter::study {

struct FigureSpec {
  OutputRef of;
  std::string
      as;  // heatmap, surface, frames, line, scatter, bar, histogram, token_grid, token_strip, attention, table, text
  base::Json options;  // x y facet slider over each colour text title origin: strings; centre: a number
  SourceSpan span, of_span;
};
struct ReportSpec {
  std::string file;  // a bare name, in <store>/reports; "" : named after the experiment
  std::string title;
  std::vector<FigureSpec> figures;  // empty: every figure its runs declare
  SourceSpan span;
};

// What could be read, also when there are problems with the rest.
ReportSpec read_report(const Node& table, Problems& problems);

}  // namespace diopter::study
