#include "report/collect.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "report/figure_json.hpp"
#include "report/provenance.hpp"

namespace diopter::report {
namespace {

using base::Json;
using store::RunDetail;

std::string experiment_text(const std::vector<RunDetail>& runs, const char* key) {
  for (const RunDetail& run : runs) {
    const Json& resolved = run.provenance.manifest_resolved;
    if (!resolved.is_object() || !resolved.contains("experiment") || !resolved["experiment"].is_object()) continue;
    const Json& experiment = resolved["experiment"];
    if (experiment.contains(key) && experiment[key].is_string()) return experiment[key].get<std::string>();
  }
  return {};
}

Figure sentence(const std::string& name, const std::string& what) {
  Figure figure;
  figure.spec.as = "text";
  figure.name = name;
  figure.warnings.push_back("[not drawn] " + what);
  return figure;
}

// The store keeps outputs by name; the reader wants the map before its animation.
std::size_t reading_order(const std::string& kind) {
  static const std::vector<std::string> order = {"heatmap", "token_grid",  "line",      "bar",
                                                 "scatter", "token_strip", "attention", "histogram",
                                                 "frames",  "surface",     "table",     "text"};
  return static_cast<std::size_t>(std::find(order.begin(), order.end(), kind) - order.begin());
}

// Every figure the runs declared: equal ones of the same entry together, entries in the order of the runs.
std::vector<Figure> declared_figures(const store::Reader& reader, const std::vector<RunDetail>& runs,
                                     const std::vector<std::string>& only) {
  struct Group {
    std::string entry, name, doc;
    FigureSpec spec;
    std::vector<RunDetail> runs;
  };
  std::vector<Group> groups;
  std::vector<Figure> figures;
  for (const RunDetail& run : runs) {
    for (const store::OutputRow& output : run.outputs) {
      if (output.type != "figure" || (!only.empty() && std::find(only.begin(), only.end(), output.name) == only.end()))
        continue;
      const std::string entry = run.row.entry.value_or(run.row.kind);
      const std::string doc = output.doc.dump();
      const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& g) {
        return g.entry == entry && g.name == output.name && g.doc == doc;
      });
      if (same != groups.end()) {
        same->runs.push_back(run);
        continue;
      }
      try {
        groups.push_back({entry, output.name, doc, parse_figure_spec(output.doc), {run}});
      } catch (const base::UserError& error) {
        figures.push_back(sentence(entry + "/" + output.name, error.what()));
      }
    }
  }
  std::vector<std::string> entries;
  for (const Group& group : groups) {
    if (std::find(entries.begin(), entries.end(), group.entry) == entries.end()) entries.push_back(group.entry);
  }
  const auto place = [&](const Group& group) {
    return std::pair(std::find(entries.begin(), entries.end(), group.entry) - entries.begin(),
                     reading_order(group.spec.as));
  };
  std::stable_sort(groups.begin(), groups.end(), [&](const Group& a, const Group& b) { return place(a) < place(b); });
  for (const Group& group : groups) {
    try {
      for (Figure& figure : collect_figure(reader, group.runs, group.spec)) {
        for (const store::OutputDefRow& declared : group.runs.front().declared) {
          if (declared.name == group.name && declared.type == "figure" && declared.doc) figure.doc = *declared.doc;
        }
        (void)figure_json(figure);  // a spec that does not fit its tensor is found here, where it can become a sentence
        figures.push_back(std::move(figure));
      }
    } catch (const base::UserError& error) {
      figures.push_back(sentence(group.entry + "/" + group.name, error.what()));
    }
  }
  return figures;
}

}  // namespace

ReportRequest request_from_json(const Json& report) {
  ReportRequest request;
  for (const auto& [key, value] : report.items()) {
    if (key == "title") request.title = value.get<std::string>();
    else if (key == "about") request.about = value.get<std::string>();
    else if (key == "figure" || key == "figures") {
      for (const Json& figure : value) request.figures.push_back(parse_figure_spec(figure));
    } else if (key != "file") {
      throw base::UserError(base::Exit::Usage, "report: unknown key " + base::quoted(key) +
                                                   base::did_you_mean(key, {"file", "title", "about", "figure"}));
    }
  }
  return request;
}

Page collect_page(const store::Reader& reader, const ReportRequest& request) {
  std::vector<RunDetail> runs;
  for (const std::string& id : request.runs) runs.push_back(reader.run(id));
  if (runs.empty()) throw base::UserError(base::Exit::NoMatch, "no runs to report");
  Page page;
  page.title = request.title;
  if (page.title.empty()) page.title = experiment_text(runs, "name");
  if (page.title.empty()) page.title = runs.front().row.batch.value_or(runs.front().row.kind);
  page.about = request.about.empty() ? experiment_text(runs, "about") : request.about;
  if (request.figures.empty()) {
    page.figures = declared_figures(reader, runs, request.only);
  } else {
    for (const FigureSpec& spec : request.figures) {
      for (Figure& figure : collect_figure(reader, runs, spec)) page.figures.push_back(std::move(figure));
    }
  }
  page.tables.push_back(comparison_table(runs));
  page.provenance = provenance_lines(runs);
  page.command = request.command.empty() ? repeat_command(runs) : request.command;
  return page;
}

}  // namespace diopter::report
