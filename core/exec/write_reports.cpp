#include "exec/write_reports.hpp"

#include "base/files.hpp"
#include "report/collect.hpp"
#include "report/plotly_asset.hpp"

namespace diopter::exec {
namespace {

report::ReportRequest request_of(const study::Study& study, const study::ReportSpec* spec,
                                 const std::vector<std::string>& runs, const std::string& command) {
  report::ReportRequest request{.runs = runs,
                                .title = study.experiment.name,
                                .about = study.experiment.about,
                                .figures = {},
                                .only = {},
                                .command = command};
  if (!spec) return request;
  if (!spec->title.empty()) request.title = spec->title;
  for (const auto& figure : spec->figures) {
    base::Json document = figure.options.is_object() ? figure.options : base::Json::object();
    document["of"] = figure.of.written;
    if (!figure.as.empty()) document["as"] = figure.as;
    request.figures.push_back(report::parse_figure_spec(document));
  }
  return request;
}

}  // namespace

std::vector<std::filesystem::path> write_reports(const study::Study& study, const store::Reader& reader,
                                                 const std::vector<std::string>& runs, const std::string& command) {
  std::vector<std::filesystem::path> out;
  if (runs.empty()) return out;
  std::vector<const study::ReportSpec*> specs;
  for (const auto& spec : study.reports) specs.push_back(&spec);
  if (specs.empty()) specs.push_back(nullptr);
  const report::PlotlyAsset plotly = report::load_plotly();
  const std::filesystem::path folder = reader.directory() / "reports";
  base::make_directories(folder);
  for (const study::ReportSpec* spec : specs) {
    const report::Rendered page =
        report::render_page(report::collect_page(reader, request_of(study, spec, runs, command)), plotly);
    const std::filesystem::path file =
        folder / (spec && !spec->file.empty() ? spec->file : study.experiment.name + ".html");
    for (const auto& side : page.beside) base::write_file_atomically(folder / side.name, side.bytes);
    base::write_file_atomically(file, page.html);
    out.push_back(file);
  }
  return out;
}

}  // namespace diopter::exec
