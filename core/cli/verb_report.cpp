// diopter report: figures of runs as one HTML file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <set>

#include "base/files.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "report/collect.hpp"
#include "store/reader.hpp"

namespace diopter::cli {
namespace {

using base::Json;

struct ReportOptions {
  CommonFlags common;
  std::vector<std::string> selectors, figures;
  std::string out, tensor, as, spec, assets = "inline", title;
  std::size_t max_bytes = 50'000'000;
};

// Runs in the order given, each once.
std::vector<std::string> chosen_runs(const store::Reader& reader, const std::vector<std::string>& selectors) {
  std::vector<std::string> ids;
  std::set<std::string> seen;
  for (const std::string& selector : selectors) {
    for (const std::string& id : reader.resolve(selector)) {
      if (seen.insert(id).second) ids.push_back(id);
    }
  }
  return ids;
}

std::string file_name_of(const std::string& title) {
  std::string name;
  for (const char c : title)
    name += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ? c : '-';
  return (name.empty() || name.front() == '.' ? "report" : name) + ".html";
}

int write_report(const ReportOptions& options) {
  const store::Reader reader(options.common.store_path());
  report::ReportRequest request;
  if (!options.spec.empty()) {
    const Json document = Json::parse(base::read_file(options.spec), nullptr, false);
    if (document.is_discarded()) throw base::UserError(base::Exit::Usage, options.spec + " is not JSON");
    request = report::request_from_json(document);
  }
  request.runs = chosen_runs(reader, options.selectors);
  request.only = options.figures;
  if (!options.title.empty()) request.title = options.title;
  if (!options.tensor.empty())
    request.figures = {
        report::parse_figure_spec({{"of", options.tensor}, {"as", options.as.empty() ? "heatmap" : options.as}})};
  const report::PlotlyAsset plotly = report::load_plotly();
  report::RenderOptions look;
  look.assets = options.assets == "beside" ? report::Assets::Beside : report::Assets::Inline;
  look.max_bytes = options.max_bytes;
  const report::Page page = report::collect_page(reader, request);
  const report::Rendered rendered = report::render_page(page, plotly, look);
  if (options.out == "-") {
    if (!rendered.beside.empty())
      throw base::UserError(base::Exit::Usage, "-o - can hold one file only, and this page has others beside it",
                            "-o FILE");
    write_stdout(rendered.html);
    return 0;
  }
  const std::filesystem::path file = options.out.empty() ? reader.directory() / "reports" / file_name_of(page.title)
                                                         : std::filesystem::path(options.out);
  if (file.has_parent_path()) base::make_directories(file.parent_path());
  for (const report::SideFile& side : rendered.beside)
    base::write_file_atomically(file.parent_path() / side.name, side.bytes);
  base::write_file_atomically(file, rendered.html);
  if (options.common.json) {
    write_json({{"schema", "diopter.report/1"},
                {"file", file.string()},
                {"bytes", rendered.html.size()},
                {"figures", page.figures.size()},
                {"runs", request.runs}});
  } else {
    write_stdout(file.string() + "\n");
  }
  talk(options.common,
       fmt::format("{} figure{} of {} run{}; open it in a browser", page.figures.size(),
                   page.figures.size() == 1 ? "" : "s", request.runs.size(), request.runs.size() == 1 ? "" : "s"));
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* verb =
      app.add_subcommand("report", "Write the figures of runs as one HTML page that opens without network");
  options->common.add_to(*verb);
  verb->add_option("selectors", options->selectors, "Runs: an id, @1, batch:NAME, batch:NAME/ENTRY")
      ->type_name("SEL")
      ->required();
  verb->add_option("-o,--out", options->out, "The file (- for stdout; else STORE/reports/NAME.html)")
      ->type_name("FILE");
  verb->add_option("--figure", options->figures, "Only these declared figures")->type_name("NAME");
  verb->add_option("--tensor", options->tensor, "Draw this output instead")->type_name("NAME");
  verb->add_option("--as", options->as, "As this kind of figure")->type_name("KIND")->needs("--tensor");
  verb->add_option("--spec", options->spec, "A [[report]] as JSON: {\"title\":..,\"figure\":[{\"of\":..,\"as\":..}]}")
      ->type_name("FILE");
  verb->add_option("--title", options->title, "Of the page")->type_name("TEXT");
  verb->add_option("--assets", options->assets, "Plotly.js inline or beside the page")
      ->check(CLI::IsMember({"inline", "beside"}))
      ->capture_default_str();
  verb->add_option("--max-bytes", options->max_bytes, "Refuse a larger page")->type_name("N")->capture_default_str();
  verb->callback([options, &action] { action = [options] { return write_report(*options); }; });
}

}  // namespace diopter::cli
