#include "report/html_table.hpp"

#include <fmt/format.h>

#include "report/display.hpp"

namespace diopter::report {
namespace {

std::string cell(const char* tag, const std::string& text, bool number) {
  return fmt::format("<{}{}>{}</{}>", tag,
                     number             ? " class=\"number\""
                     : text.size() > 60 ? " class=\"prose\""
                                        : "",
                     escape_html(text), tag);
}

// The first dimension down, the last across, others spelled out in the first column.
std::string grid_rows(const Grid& grid) {
  if (grid.dims.empty()) return "<tr>" + cell("td", three_digits(grid.values.at(0)), true) + "</tr>\n";
  const Axis& last = grid.dims.back();
  std::string out = "<tr><th></th>";
  for (std::size_t i = 0; i < last.size; ++i) out += cell("th", last.shown(i), false);
  out += "</tr>\n";
  for (std::size_t row = 0; last.size > 0 && row < grid.values.size() / last.size; ++row) {
    std::string label;
    for (std::size_t d = grid.dims.size() - 1, left = row; d-- > 0; left /= grid.dims[d].size) {
      label =
          grid.dims[d].name + " " + grid.dims[d].shown(left % grid.dims[d].size) + (label.empty() ? "" : ", ") + label;
    }
    out += "<tr>" + cell("th", label, false);
    for (std::size_t i = 0; i < last.size; ++i) out += cell("td", three_digits(grid.values[row * last.size + i]), true);
    out += "</tr>\n";
  }
  return out;
}

}  // namespace

std::string page_table_html(const PageTable& table) {
  std::string out = "<table class=\"data-table\"><thead><tr>";
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    out += cell("th", shown_text(table.columns[c]), table.numeric.at(c));
  out += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c) out += cell("td", shown_text(row[c]), table.numeric.at(c));
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string data_table_html(const Table& table) {
  std::size_t rows = table.columns.empty() ? 0 : table.columns.front().size();
  const bool named = !(table.dims.size() == 1 && table.dims[0].name == "row");
  std::string out = "<table class=\"data-table\"><thead><tr>";
  if (named) {
    for (const Axis& axis : table.dims) out += cell("th", shown_text(axis.name), false);
  }
  for (const Column& column : table.columns) out += cell("th", shown_text(column.name), !column.is_text);
  out += "</tr></thead><tbody>\n";
  const std::size_t all = rows;
  rows = std::min(rows, kMostTableRows);
  for (std::size_t r = 0; r < rows; ++r) {
    out += "<tr>";
    std::string place;
    for (std::size_t d = table.dims.size(), left = r; named && d-- > 0; left /= table.dims[d].size) {
      place = cell("td", table.dims[d].shown(left % table.dims[d].size), false) + place;
    }
    out += place;
    for (const Column& column : table.columns) {
      if (!column.is_text) out += cell("td", three_digits(column.numbers[r]), true);
      else
        out +=
            cell("td", isolated(column.is_token ? shown_token(column.texts[r]) : shown_text(column.texts[r])), false);
    }
    out += "</tr>\n";
  }
  out += "</tbody></table>\n";
  if (all > rows) out += fmt::format("<p class=\"note\">{} of {} rows; the rest is in the store.</p>\n", rows, all);
  return out;
}

std::string reader_table_html(const std::vector<Panel>& panels) {
  std::size_t cells = 0;
  for (const Panel& panel : panels) cells += panel.grid.values.size();
  if (cells == 0 || cells > kMostTableCells) return {};
  std::string out = "<details><summary>as a table</summary>\n";
  for (const Panel& panel : panels) {
    if (!panel.label.empty()) out += "<p>" + escape_html(shown_text(panel.label)) + "</p>\n";
    out += "<table class=\"data-table\">\n" + grid_rows(panel.grid) + "</table>\n";
  }
  return out + "</details>\n";
}

}  // namespace diopter::report
