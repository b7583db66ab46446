#include "cli/heatmap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "report/colours.hpp"
#include "report/display.hpp"
#include "report/roles.hpp"

namespace diopter::cli {
namespace {

using report::Rgb;

constexpr std::size_t kLabelColumns = 7;

std::string right(const std::string& text, std::size_t width) {
  const std::size_t own = base::display_width(text);
  return std::string(width > own ? width - own : 0, ' ') + text;
}

std::string without_trailing_space(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

// "<|end..": cut with dots, which every terminal has. Spaces around a token are not worth a column here.
std::string label(const std::string& exact) {
  std::string text = report::shown_text(exact);
  while (text.size() > 1 && text.front() == ' ') text.erase(0, 1);
  if (base::display_width(text) <= kLabelColumns) return text;
  std::string out;
  std::size_t width = 0;
  for (const char32_t c : base::code_points(text)) {
    const std::string one = base::to_utf8(c);
    width += base::display_width(one);
    if (width > kLabelColumns - 2) break;
    out += one;
  }
  return out + "..";
}

std::string row_name(const report::Axis& rows, std::size_t row) {
  if (rows.name == "layer" && rows.labels.empty()) return "L" + rows.exact(row);
  if (rows.name == "head" && rows.labels.empty()) return "H" + rows.exact(row);
  return rows.labels.empty() ? rows.exact(row)
         : rows.tokens()     ? label(rows.labels[row]) + " " + std::to_string(row)
                             : report::shown_text(rows.labels[row], 16);
}

// How many decimals show the largest value with three digits, never fewer than two below 100.
int decimals_for(const std::vector<double>& values) {
  double reach = 0;
  for (const double value : values) {
    if (std::isfinite(value)) reach = std::max(reach, std::abs(value));
  }
  if (reach >= 1000) return 0;
  if (reach >= 100) return 1;
  if (reach >= 0.1 || reach == 0) return 2;
  return std::min(6, 2 - static_cast<int>(std::floor(std::log10(reach) + 1)));
}

std::string number(double value, int decimals) {
  if (!std::isfinite(value)) return report::three_digits(value);
  if (std::abs(value) < 0.5 * std::pow(10.0, -decimals)) return ".";
  return fmt::format("{:.{}f}", value, decimals);
}

int palette_256(Rgb c) {
  const auto step = [](int v) { return v < 48 ? 0 : v < 115 ? 1 : (v - 35) / 40; };
  return 16 + 36 * step(c.r) + 6 * step(c.g) + step(c.b);
}

class Painter {
 public:
  Painter(const HeatmapData& data, const HeatmapOptions& options)
      : options_(options), limits_(report::colour_limits(data.values, data.centre ? &*data.centre : nullptr)) {}

  const report::Limits& limits() const { return limits_; }
  Rgb colour(double value) const {
    return std::isfinite(value) ? report::colour_of(value, limits_) : Rgb{128, 128, 128};
  }
  std::string set(bool background, Rgb c) const {
    if (options_.true_colour) return fmt::format("\x1b[{};2;{};{};{}m", background ? 48 : 38, c.r, c.g, c.b);
    return fmt::format("\x1b[{};5;{}m", background ? 48 : 38, palette_256(c));
  }
  std::string cell(const std::string& text, double value) const {
    if (!options_.colour) return text;
    const Rgb c = colour(value);
    return set(true, c) + set(false, report::dark(c) ? Rgb{255, 255, 255} : Rgb{0, 0, 0}) + text + "\x1b[0m";
  }

 private:
  const HeatmapOptions& options_;
  report::Limits limits_;
};

std::vector<std::size_t> row_order(const HeatmapData& data, const HeatmapOptions& options) {
  std::vector<std::size_t> order(data.rows.size);
  for (std::size_t r = 0; r < order.size(); ++r) order[r] = options.first_row_last ? order.size() - 1 - r : r;
  return order;
}

std::string scale_line(const HeatmapData& data, const HeatmapOptions& options, const Painter& painter,
                       const std::string& remark) {
  const report::Limits& limits = painter.limits();
  std::string ramp = " to ";
  if (options.colour) {
    ramp = " ";
    for (int i = 0; i < 16; ++i) ramp += painter.cell(" ", limits.low + (limits.high - limits.low) * (i + 0.5) / 16);
    ramp += " ";
  }
  return fmt::format("  scale {}{}{}{}{}\n", report::three_digits(limits.low), ramp, report::three_digits(limits.high),
                     data.unit.empty() ? "" : " " + data.unit, remark);
}

struct Numbers {
  std::size_t row_width = 0;
  std::vector<std::vector<std::string>> text;  // [row][column]
  std::vector<std::string> heads;
  std::vector<std::size_t> widths;
  std::size_t line() const {
    std::size_t sum = 2 + row_width;
    for (const std::size_t width : widths) sum += width + 1;
    return sum;
  }
};

Numbers numbers_of(const HeatmapData& data) {
  Numbers out;
  const int decimals = decimals_for(data.values);
  for (std::size_t c = 0; c < data.columns.size; ++c) {
    out.heads.push_back(data.columns.labels.empty() ? "" : label(data.columns.labels[c]));
    const std::string index = data.columns.labels.empty() ? data.columns.exact(c) : std::to_string(c);
    out.widths.push_back(std::max({std::size_t{4}, index.size(), base::display_width(out.heads.back())}));
  }
  for (std::size_t r = 0; r < data.rows.size; ++r) {
    out.row_width = std::max(out.row_width, base::display_width(row_name(data.rows, r)));
    out.text.emplace_back();
    for (std::size_t c = 0; c < data.columns.size; ++c) {
      out.text.back().push_back(number(data.values[r * data.columns.size + c], decimals));
      out.widths[c] = std::max(out.widths[c], out.text.back().back().size());
    }
  }
  return out;
}

std::string draw_numbers(const HeatmapData& data, const HeatmapOptions& options, const Numbers& numbers,
                         const Painter& painter) {
  std::string indices = std::string(2 + numbers.row_width, ' '), heads = indices, out;
  const bool named = !data.columns.labels.empty();
  for (std::size_t c = 0; c < data.columns.size; ++c) {
    indices += " " + right(named ? std::to_string(c) : data.columns.exact(c), numbers.widths[c]);
    heads += " " + right(numbers.heads[c], numbers.widths[c]);
  }
  out += without_trailing_space(indices) + "\n";
  if (named) out += without_trailing_space(heads) + "\n";
  for (const std::size_t r : row_order(data, options)) {
    std::string line = "  " + right(row_name(data.rows, r), numbers.row_width);
    for (std::size_t c = 0; c < data.columns.size; ++c)
      line += painter.cell(" " + right(numbers.text[r][c], numbers.widths[c]), data.values[r * data.columns.size + c]);
    out += line + "\n";
  }
  return out;
}

// The index of every tenth column.
std::string ruler(std::size_t indent, std::size_t columns, std::size_t cell) {
  std::string line(indent, ' ');
  for (std::size_t c = 0; c < columns; c += 10) {
    line.resize(std::max(line.size(), indent + c * cell), ' ');
    line += std::to_string(c);
  }
  return line + "\n";
}

std::string draw_blocks(const HeatmapData& data, const HeatmapOptions& options, std::size_t row_width,
                        const Painter& painter, std::size_t from, std::size_t count) {
  std::string out;
  const std::vector<std::size_t> order = row_order(data, options);
  for (std::size_t i = 0; i < order.size(); i += 2) {
    const bool pair = i + 1 < order.size();
    const std::string names = row_name(data.rows, order[i]);
    out += "  " + right(names, row_width) + " ";
    for (std::size_t c = from; c < from + count; ++c) {
      out += painter.set(false, painter.colour(data.values[order[i] * data.columns.size + c]));
      if (pair) out += painter.set(true, painter.colour(data.values[order[i + 1] * data.columns.size + c]));
      out += "▀";
    }
    out += "\x1b[0m\n";
  }
  return out;
}

std::string draw_digits(const HeatmapData& data, const HeatmapOptions& options, std::size_t row_width, double unit,
                        std::size_t from, std::size_t count) {
  std::string out;
  for (const std::size_t r : row_order(data, options)) {
    out += "  " + right(row_name(data.rows, r), row_width) + " ";
    std::string line;
    for (std::size_t c = from; c < from + count; ++c) {
      const double value = data.values[r * data.columns.size + c];
      const auto digit = std::isfinite(value) ? std::lround(std::abs(value) / unit) : 0;
      if (!std::isfinite(value)) line += std::isnan(value) ? " N" : value > 0 ? "+I" : "-I";
      else line += digit == 0 ? " ." : fmt::format("{}{}", value < 0 ? '-' : ' ', digit);
    }
    out += without_trailing_space(line) + "\n";
  }
  return out;
}

}  // namespace

std::string draw_heatmap(const HeatmapData& data, const HeatmapOptions& options) {
  std::string out = data.title.empty() ? "" : "  " + report::shown_text(data.title) + "\n";
  const Painter painter(data, options);
  const Numbers numbers = numbers_of(data);
  if (numbers.line() <= options.width) {
    const double half = 0.5 * std::pow(10.0, -decimals_for(data.values));
    return out + draw_numbers(data, options, numbers, painter) +
           scale_line(data, options, painter, fmt::format("; . = less than {}", report::three_digits(half)));
  }
  const bool blocks = options.colour && options.utf8;
  const std::size_t cell = blocks ? 1 : 2, indent = numbers.row_width + 3;
  const std::size_t room =
      std::max<std::size_t>(10, options.width > indent + cell ? (options.width - indent) / cell : 10);
  const report::Limits& limits = painter.limits();
  const double unit = std::max(std::abs(limits.low), std::abs(limits.high)) / 9;
  for (std::size_t from = 0; from < data.columns.size; from += room) {
    const std::size_t count = std::min(room, data.columns.size - from);
    if (data.columns.size > room) out += fmt::format("  columns {} to {}\n", from, from + count - 1);
    out += ruler(indent, count, cell);
    out += blocks ? draw_blocks(data, options, numbers.row_width, painter, from, count)
                  : draw_digits(data, options, numbers.row_width, unit, from, count);
  }
  return out + scale_line(data, options, painter,
                          blocks ? ""
                                 : fmt::format("; 9 = {}, . = less than {}", report::three_digits(unit * 9),
                                               report::three_digits(unit / 2)));
}

HeatmapData heatmap_of(const report::Grid& grid, const GridView& view, std::string title) {
  report::FigureSpec spec;
  spec.as = "heatmap";
  spec.of = title;
  spec.x = view.column_dim;
  spec.y = view.row_dim;
  const report::Roles roles = report::assign_roles(spec, grid);
  HeatmapData data;
  data.title = std::move(title);
  const int x = grid.index_of(roles.x), y = grid.index_of(roles.y);
  data.columns = x < 0 ? report::Axis{"", 1, {}, {}, {}} : grid.dims[static_cast<std::size_t>(x)];
  data.rows = y < 0 ? report::Axis{"", 1, {""}, {}, {}} : grid.dims[static_cast<std::size_t>(y)];
  std::vector<std::size_t> steps(grid.dims.size(), 1);
  for (std::size_t d = grid.dims.size(); d-- > 1;) steps[d - 1] = steps[d] * grid.dims[d].size;
  std::size_t base = 0;
  for (const auto& [dim, index] : view.at) base += steps[static_cast<std::size_t>(grid.index_of(dim))] * index;
  for (std::size_t r = 0; r < data.rows.size; ++r) {
    for (std::size_t c = 0; c < data.columns.size; ++c) {
      data.values.push_back(grid.values[base + (y < 0 ? 0 : r * steps[static_cast<std::size_t>(y)]) +
                                        (x < 0 ? 0 : c * steps[static_cast<std::size_t>(x)])]);
    }
  }
  return data;
}

}  // namespace diopter::cli
