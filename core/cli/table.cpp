#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "report/display.hpp"

namespace diopter::cli {
namespace {

using base::Json;

constexpr std::size_t kNarrowest = 8;  // a cut column keeps this much

std::string pad(const std::string& text, std::size_t width, bool right) {
  const std::size_t own = base::display_width(text);
  const std::string space(width > own ? width - own : 0, ' ');
  return right ? space + text : text + space;
}

std::string cut(const std::string& text, std::size_t width) {
  if (base::display_width(text) <= width) return text;
  std::string out;
  std::size_t used = 0;
  for (const char32_t c : base::code_points(text)) {
    const std::string one = base::to_utf8(c);
    used += base::display_width(one);
    if (used > width - 1) break;
    out += one;
  }
  return out + "…";
}

std::string terminal_text(const Json& cell) {
  if (cell.is_number_float()) return short_number(cell.get<double>());
  return base::printable(base::escape_invalid_utf8(cell_text(cell)), 100'000);
}

// The widest columns give way first, down to kNarrowest.
void fit(std::vector<std::size_t>& widths, const std::vector<const Column*>& columns, std::size_t width) {
  const auto total = [&] {
    std::size_t sum = 0;
    for (const std::size_t one : widths) sum += one + 2;
    return sum - 2;
  };
  while (total() > width) {
    std::size_t widest = widths.size();
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (columns[c]->whole || columns[c]->numeric || widths[c] <= kNarrowest) continue;
      if (widest == widths.size() || widths[c] > widths[widest]) widest = c;
    }
    if (widest == widths.size()) return;
    widths[widest] -= std::min(widths[widest] - kNarrowest, total() - width);
  }
}

std::string separated(const Rows& rows, bool header, const char* separator, std::string (*quote)(const std::string&)) {
  std::string out;
  const auto line = [&](std::size_t count, const auto& cell) {
    for (std::size_t c = 0; c < count; ++c) out += (c ? separator : "") + quote(cell(c));
    out += '\n';
  };
  if (header) line(rows.columns.size(), [&](std::size_t c) { return rows.columns[c].name; });
  for (const auto& row : rows.cells) line(row.size(), [&](std::size_t c) { return cell_text(row[c]); });
  return out;
}

std::string csv_quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string tsv_quoted(const std::string& text) { return report::tsv_cell(text); }

}  // namespace

std::string short_number(double value) {
  if (!std::isfinite(value)) return report::three_digits(value);
  if (value == std::floor(value) && std::abs(value) < 1e9) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

std::string cell_text(const Json& cell) {
  if (cell.is_null()) return {};
  if (cell.is_string()) return cell.get<std::string>();
  if (cell.is_number_float() && !std::isfinite(cell.get<double>())) return report::three_digits(cell.get<double>());
  return base::plain_json(cell);
}

std::string aligned_table(const Rows& rows, bool header, std::size_t width) {
  std::vector<const Column*> columns;
  std::vector<std::size_t> source, widths;
  for (std::size_t c = 0; c < rows.columns.size(); ++c) {
    const bool empty =
        std::all_of(rows.cells.begin(), rows.cells.end(), [&](const auto& row) { return cell_text(row[c]).empty(); });
    if (empty && !rows.cells.empty()) continue;
    columns.push_back(&rows.columns[c]);
    source.push_back(c);
    widths.push_back(0);
  }
  std::vector<std::vector<std::string>> lines;
  if (header) {
    lines.emplace_back();
    for (const Column* column : columns)
      lines.back().push_back(column->heading.empty() ? column->name : column->heading);
  }
  for (const auto& row : rows.cells) {
    lines.emplace_back();
    for (const std::size_t c : source) lines.back().push_back(terminal_text(row[c]));
  }
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], base::display_width(line[c]));
  }
  fit(widths, columns, width);
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t c = 0; c < line.size(); ++c)
      text += (c ? "  " : "") + pad(cut(line[c], widths[c]), widths[c], columns[c]->numeric);
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

std::string tsv(const Rows& rows, bool header) { return separated(rows, header, "\t", tsv_quoted); }
std::string csv(const Rows& rows, bool header) { return separated(rows, header, ",", csv_quoted); }

std::string markdown(const Rows& rows, bool header) {
  const auto quoted = [](const std::string& text) {
    std::string out;
    for (const char c : base::printable(base::escape_invalid_utf8(text), 100'000))
      out += c == '|' ? std::string("\\|") : std::string(1, c);
    return out;
  };
  std::string out;
  if (header) {
    for (const Column& column : rows.columns) out += "| " + quoted(column.name) + " ";
    out += "|\n";
    for (const Column& column : rows.columns) out += column.numeric ? "| ---: " : "| --- ";
    out += "|\n";
  }
  for (const auto& row : rows.cells) {
    for (const Json& cell : row) out += "| " + quoted(cell_text(cell)) + " ";
    out += "|\n";
  }
  return out;
}

base::Json json_rows(const Rows& rows) {
  Json out = Json::array();
  for (const auto& row : rows.cells) {
    Json object = Json::object();
    for (std::size_t c = 0; c < row.size(); ++c) object[rows.columns[c].name] = row[c];
    out.push_back(std::move(object));
  }
  return out;
}

}  // namespace diopter::cli
