#include "report/figure_json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "report/colours.hpp"
#include "report/display.hpp"
#include "report/roles.hpp"

namespace diopter::report {
namespace {

using base::Json;

std::string float32_base64(const std::vector<double>& values) {
  std::string bytes(values.size() * 4, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<float>(values[i]);
    std::memcpy(bytes.data() + i * 4, &value, 4);  // little-endian hosts only, as the store's payloads
  }
  return base64(bytes);
}

Json axis_json(const Axis& axis) {
  Json show = Json::array(), exact = Json::array();
  const bool numeric = axis.labels.empty();
  for (std::size_t i = 0; i < axis.size; ++i) {
    show.push_back(axis.shown(i));
    if (numeric) {
      if (axis.coord.empty()) exact.push_back(i);
      else exact.push_back(axis.coord[i]);
    } else {
      std::string text = json_text(axis.labels[i]);
      if (!axis.ids.empty()) text += fmt::format(" (id {})", axis.ids[i]);
      exact.push_back(text);
    }
  }
  return {{"name", shown_text(axis.name, 40)},
          {"size", axis.size},
          {"show", show},
          {"exact", exact},
          {"numeric", numeric},
          {"tokens", axis.tokens()}};
}

Json limits_json(const Limits& limits) {
  return {{"scale", limits.scale == Scale::Diverging ? "diverging" : "sequential"},
          {"low", limits.low},
          {"high", limits.high}};
}

// One pair of limits for everything shown; metrics, which have different units, get one each.
void add_limits(Json& out, const Figure& figure, const std::vector<Panel>& panels) {
  const double* centre = figure.spec.centre ? &*figure.spec.centre : nullptr;
  const Grid& first = panels.front().grid;
  const int metric = first.index_of("metric");
  std::vector<std::vector<double>> shown(metric < 0 ? 1 : first.dims[static_cast<std::size_t>(metric)].size);
  for (const Panel& panel : panels) {
    std::size_t inner = 1;
    for (std::size_t d = static_cast<std::size_t>(metric < 0 ? 0 : metric) + 1;
         metric >= 0 && d < panel.grid.dims.size(); ++d)
      inner *= panel.grid.dims[d].size;
    for (std::size_t i = 0; i < panel.grid.values.size(); ++i) {
      shown[metric < 0 ? 0 : i / inner % shown.size()].push_back(panel.grid.values[i]);
    }
  }
  out["limits"] = Json::array();
  for (const auto& values : shown) out["limits"].push_back(limits_json(colour_limits(values, centre)));
  out["limits_by"] = metric < 0 ? "" : "metric";
}

Json column_json(const Column& column) {
  Json out = {{"name", shown_text(column.name, 40)}};
  if (!column.is_text) {
    out["data"] = float32_base64(column.numbers);
    return out;
  }
  Json show = Json::array(), exact = Json::array();
  for (const std::string& text : column.texts) {
    show.push_back(isolated(column.is_token ? shown_token(text, kCellColumns) : shown_text(text, 40)));
    exact.push_back(json_text(text));
  }
  out["show"] = show;
  out["exact"] = exact;
  return out;
}

// "top.token" or "token": the column's own name.
std::string column_name(const std::string& reference) {
  const std::size_t dot = reference.rfind('.');
  return dot == std::string::npos ? reference : reference.substr(dot + 1);
}

void add_columns(Json& out, const Figure& figure) {
  out["columns"] = Json::array();
  out["table_dims"] = Json::array();
  for (const Axis& axis : figure.table.dims) out["table_dims"].push_back({{"name", axis.name}, {"size", axis.size}});
  for (const Column& column : figure.table.columns) out["columns"].push_back(column_json(column));
}

void require_column(const Figure& figure, const char* key, const std::string& reference) {
  if (reference.empty() || figure.table.find(column_name(reference))) return;
  std::vector<std::string> known;
  for (const Column& column : figure.table.columns) known.push_back(column.name);
  throw base::UserError(base::Exit::Usage,
                        fmt::format("figure of '{}': {} = '{}' is not one of its columns{}", figure.spec.of, key,
                                    reference, base::did_you_mean(column_name(reference), known)),
                        {}, "report.column");
}

Json scatter_json(const Figure& figure) {
  Json out;
  std::vector<std::string> numeric;
  for (const Column& column : figure.table.columns) {
    if (!column.is_text) numeric.push_back(column.name);
  }
  for (const auto& [key, reference] : {std::pair{"x", figure.spec.x},
                                       {"y", figure.spec.y},
                                       {"colour", figure.spec.colour},
                                       {"text", figure.spec.text}}) {
    require_column(figure, key, reference);
  }
  if ((figure.spec.x.empty() || figure.spec.y.empty()) && numeric.size() < 2) {
    throw base::UserError(base::Exit::Usage,
                          fmt::format("figure of '{}': a scatter needs two columns of numbers", figure.spec.of));
  }
  out["x"] = figure.spec.x.empty() ? numeric[0] : column_name(figure.spec.x);
  out["y"] = figure.spec.y.empty() ? numeric[1] : column_name(figure.spec.y);
  out["colour"] = column_name(figure.spec.colour);
  out["text"] = column_name(figure.spec.text);
  return out;
}

}  // namespace

std::vector<Panel> drawn_panels(const Figure& figure) {
  std::vector<Panel> panels = figure.panels;
  for (Panel& panel : panels) {
    if (!figure.spec.over.empty() && figure.spec.as != "frames") {
      if (panel.grid.index_of(figure.spec.over) < 0) {
        std::vector<std::string> names;
        for (const Axis& axis : panel.grid.dims) names.push_back(axis.name);
        throw base::UserError(base::Exit::Usage,
                              fmt::format("figure of '{}': over = '{}' is not one of its dimensions{}", figure.spec.of,
                                          figure.spec.over, base::did_you_mean(figure.spec.over, names)));
      }
      panel.grid = mean_over(panel.grid, figure.spec.over);
    }
    if (assign_roles(figure.spec, panel.grid).ranked) {
      const int metric = panel.grid.index_of("metric");
      if (metric >= 0 && panel.grid.dims[static_cast<std::size_t>(metric)].size == 1)
        panel.grid.dims.erase(panel.grid.dims.begin() + metric);
      panel.grid = ranked(panel.grid, kRankedBars);
    }
  }
  return panels;
}

base::Json figure_json(const Figure& figure) {
  Json out = {{"kind", figure.spec.as},
              {"each", figure.spec.each},
              {"name", shown_text(figure.name, 80)},
              {"unit", shown_text(figure.unit, 20)},
              {"origin", figure.spec.origin},
              {"panels", Json::array()}};
  add_columns(out, figure);
  if (figure.spec.as == "scatter") out["scatter"] = scatter_json(figure);
  const std::vector<Panel> panels = drawn_panels(figure);
  if (panels.empty()) return out;
  Roles roles = assign_roles(figure.spec, panels.front().grid);
  out["roles"] = {{"x", roles.x},           {"y", roles.y},         {"series", roles.series},
                  {"slider", roles.slider}, {"facet", roles.facet}, {"select", roles.select}};
  add_limits(out, figure, panels);
  for (const Panel& panel : panels) {
    Json dims = Json::array();
    for (const Axis& axis : panel.grid.dims) dims.push_back(axis_json(axis));
    Json one = {{"label", shown_text(panel.label, 60)}, {"dims", dims}, {"data", float32_base64(panel.grid.values)}};
    if (!panel.grid.error.empty()) one["error"] = float32_base64(panel.grid.error);
    if (!panel.grid.low.empty() && !panel.grid.high.empty()) {
      one["low"] = float32_base64(panel.grid.low);
      one["high"] = float32_base64(panel.grid.high);
    }
    out["panels"].push_back(std::move(one));
  }
  if (figure.spec.as == "token_grid" && !figure.spec.text.empty()) {
    require_column(figure, "text", figure.spec.text);
    out["text"] = column_name(figure.spec.text);
  }
  return out;
}

std::string nonfinite_note(const std::vector<Panel>& panels) {
  std::size_t nan = 0, plus = 0, minus = 0;
  for (const Panel& panel : panels) {
    for (const double value : panel.grid.values) {
      nan += std::isnan(value);
      plus += std::isinf(value) && value > 0;
      minus += std::isinf(value) && value < 0;
    }
  }
  std::string note;
  const auto add = [&](std::size_t count, const char* what) {
    if (count > 0) note += fmt::format("{}{} {}", note.empty() ? "" : ", ", count, what);
  };
  add(nan, "NaN");
  add(plus, "+inf");
  add(minus, "-inf");
  return note;
}

}  // namespace diopter::report
