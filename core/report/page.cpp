#include "report/page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/hints.hpp"
#include "report/display.hpp"
#include "report/figure_json.hpp"
#include "report/html_table.hpp"
#include "report/markdown.hpp"
#include "report/page_files.hpp"
#include "report/size_guard.hpp"

namespace diopter::report {
namespace {

std::string csp_hash(std::string_view script) {
  const std::string hex = base::sha256(script);
  std::string raw;
  for (std::size_t i = 0; i < hex.size(); i += 2) raw += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return "'sha256-" + base64(raw) + "'";
}

// A script that ends its own element early would turn the rest into page text.
void require_inlinable(const std::string& source, const std::string& what) {
  std::string lower(source);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower.find("</script") == std::string::npos && lower.find("<!--") == std::string::npos) return;
  throw base::UserError(base::Exit::Refused, what + " cannot stand inside a page: it contains '</script' or '<!--'",
                        "--assets beside");
}

std::string figure_title(const Figure& figure) {
  if (!figure.spec.title.empty()) return figure.spec.title;
  return figure.doc.empty() ? figure.name : figure.doc.substr(0, figure.doc.find_last_not_of('.') + 1);
}

std::string figure_html(const Figure& figure, std::size_t number) {
  const bool text = figure.spec.as == "text", table = figure.spec.as == "table";
  std::string out = fmt::format("<section class=\"figure\" id=\"figure-{}\"{}>\n<h2>{}</h2>\n", number,
                                text ? "" : " data-plot", escape_html(shown_text(figure_title(figure))));
  std::string sub = figure.spec.title.empty() || figure.doc.empty() ? "" : shown_text(figure.doc) + " ";
  sub += fmt::format("{}{}{}", shown_text(figure.name), figure.unit.empty() ? "" : ", " + shown_text(figure.unit),
                     figure.runs.empty() ? "" : " · " + shown_text(figure.runs));
  out += "<p class=\"doc\">" + escape_html(sub) + "</p>\n";
  for (const std::string& warning : figure.warnings)
    out += "<p class=\"warning\" role=\"note\">" + escape_html(shown_text(warning)) + "</p>\n";
  if (text) return out + "<div class=\"prose\">\n" + markdown_html(figure.text) + "</div>\n</section>\n";
  out += "<div class=\"stage\">" + (table ? data_table_html(figure.table) : std::string()) + "</div>\n";
  const std::vector<Panel> panels = figure.panels.empty() ? std::vector<Panel>() : drawn_panels(figure);
  const std::string note = nonfinite_note(panels);
  if (!note.empty()) out += "<p class=\"note\">Not drawn as colours: " + note + ".</p>\n";
  out += "<div class=\"tools\"><button type=\"button\" class=\"copy\">copy as TSV</button></div>\n" +
         reader_table_html(panels);
  out += "<script type=\"application/json\" class=\"data\">" +
         escape_json_block(base::canonical_json(figure_json(figure))) + "</script>\n</section>\n";
  return out;
}

std::string footer_html(const Page& page, const PlotlyAsset& plotly) {
  std::string out = "<footer><h2>How this was made</h2>\n<dl>\n";
  const auto line = [&](const std::string& name, const std::string& value) {
    out += "<dt>" + escape_html(shown_text(name)) + "</dt><dd>" + escape_html(shown_text(value)) + "</dd>\n";
  };
  for (const auto& [name, value] : page.provenance) line(name, value);
  line("figures drawn by", "Plotly.js " + plotly.version + "  " + plotly.sha256.substr(0, 16) + " (MIT)");
  if (!page.command.empty())
    out += "<dt>repeat it</dt><dd class=\"mono\">" + escape_html(shown_text(page.command)) + "</dd>\n";
  return out + "</dl>\n</footer>\n";
}

void require_size(const std::string& html, const std::vector<std::pair<std::size_t, std::string>>& sizes,
                  std::size_t limit) {
  if (html.size() <= limit) return;
  auto largest = sizes;
  std::stable_sort(largest.begin(), largest.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  largest.resize(std::min<std::size_t>(3, largest.size()));
  std::vector<std::string> names;
  for (const auto& [bytes, name] : largest)
    names.push_back(fmt::format("{} ({:.1f} MB)", name, static_cast<double>(bytes) / 1e6));
  throw base::UserError(
      base::Exit::Usage,
      fmt::format("the page would have {:.1f} MB, more than {:.1f} MB; largest figures: {}",
                  static_cast<double>(html.size()) / 1e6, static_cast<double>(limit) / 1e6, base::join(names)),
      "choose figures with --figure NAME, or raise --max-bytes", "report.size");
}

}  // namespace

Rendered render_page(const Page& given, const PlotlyAsset& plotly, const RenderOptions& options) {
  Page page = given;
  Rendered out;
  out.beside = reduce_large_figures(page.figures, options.max_cells);
  const std::string script = page_script();
  const bool inlined = options.assets == Assets::Inline;
  if (inlined) require_inlinable(plotly.source, "Plotly.js");
  const std::string policy =
      inlined ? csp_hash(plotly.source) + " " + csp_hash(script) : "'unsafe-inline' 'self' file:";
  std::string& html = out.html;
  html = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src " + policy +
          "; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'\">\n";
  html +=
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
      "content=\"no-referrer\">\n<meta name=\"generator\" content=\"diopter\">\n";
  html += "<title>" + escape_html(shown_text(page.title)) + "</title>\n<style>\n" + page_style() +
          "</style>\n</head>\n<body>\n";
  html += "<header><h1>" + escape_html(shown_text(page.title)) + "</h1>\n";
  if (!page.about.empty()) html += "<p class=\"about\">" + escape_html(shown_text(page.about)) + "</p>\n";
  html += "</header>\n<main>\n";
  std::vector<std::pair<std::size_t, std::string>> sizes;
  for (std::size_t i = 0; i < page.figures.size(); ++i) {
    const std::string figure = figure_html(page.figures[i], i + 1);
    sizes.emplace_back(figure.size(), page.figures[i].name);
    html += figure;
  }
  for (const PageTable& table : page.tables) {
    html += "<section><h2>" + escape_html(table.heading) + "</h2>\n" + page_table_html(table) + "</section>\n";
  }
  html += "</main>\n" + footer_html(page, plotly);
  if (inlined) {
    html += "<script>" + plotly.source + "</script>\n";
  } else {
    const std::string name = "plotly-" + plotly.version + ".min.js";
    html += "<script src=\"" + escape_html(name) + "\"></script>\n";
    out.beside.push_back({name, plotly.source});
  }
  html += "<script>" + script + "</script>\n</body>\n</html>\n";
  require_size(html, sizes, options.max_bytes);
  return out;
}

}  // namespace diopter::report
