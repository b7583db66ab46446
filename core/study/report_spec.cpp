#include "study/report_spec.hpp"

#include <fmt/format.h>

#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

const std::vector<std::string> kFigures = {"heatmap",   "surface",    "frames",      "line",      "scatter", "bar",
                                           "histogram", "token_grid", "token_strip", "attention", "table",   "text"};
constexpr const char* kWords[] = {"x", "y", "facet", "slider", "over", "each", "colour", "text", "title"};

std::optional<FigureSpec> read_figure(const Node& table, Problems& problems) {
  FigureSpec out;
  out.span = out.of_span = table.span;
  out.options = base::Json::object();
  TableReader reader(table, "[[report.figure]]", problems);
  if (const Member* of = reader.require("of", "of = \"resid/effect\"")) {
    out.of_span = of->value.span;
    if (auto ref = read_output_ref(of->value, problems)) out.of = std::move(*ref);
  }
  reader.require("as", "as = \"heatmap\"");
  out.as = reader.choice("as", kFigures).value_or("");
  for (const char* word : kWords) {
    if (const auto value = reader.string(word)) out.options[word] = *value;
  }
  if (const auto value = reader.choice("origin", {"lower", "upper"})) out.options["origin"] = *value;
  if (const auto value = reader.number("centre")) out.options["centre"] = *value;
  reader.finish();
  if (out.of.run.empty()) return std::nullopt;
  return out;
}

}  // namespace

ReportSpec read_report(const Node& table, Problems& problems) {
  ReportSpec out;
  out.span = table.span;
  TableReader reader(table, "[[report]]", problems);
  if (const auto file = reader.string("file")) {
    out.file = *file;
    const bool bare = !file->empty() && file->find('/') == std::string::npos && file->find('\0') == std::string::npos &&
                      file->front() != '.' && file->ends_with(".html");
    if (!bare) {
      problems.error(
          table.find("file")->value.span,
          fmt::format(
              "'file' of [[report]] is {}, but must be a bare name that ends in .html; it goes to <store>/reports",
              brief(table.find("file")->value)));
    }
  }
  out.title = reader.string("title").value_or("");
  if (const Member* figures = reader.take("figure");
      figures != nullptr && is_table_list(*figures, "report.figure", problems)) {
    for (const auto& item : figures->value.items) {
      if (auto figure = read_figure(item, problems)) out.figures.push_back(std::move(*figure));
    }
  }
  reader.finish();
  return out;
}

}  // namespace diopter::study
