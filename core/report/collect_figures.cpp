// Figures that span the runs of an entry.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "base/error.hpp"
#include "base/hints.hpp"
#include "base/ulid.hpp"
#include "report/collect.hpp"
#include "report/display.hpp"
#include "report/grid_from_store.hpp"
#include "report/roles.hpp"

namespace diopter::report {
namespace {

using base::Json;
using store::RunDetail;

struct Member {
  const RunDetail* run = nullptr;
  Grid grid;
};

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : base::plain_json(value);
}

const Json* swept_value(const RunDetail& run, const std::string& key) {
  for (const store::ParamRow& param : run.params) {
    if (param.swept && param.key == key) return &param.value;
  }
  return nullptr;
}

// The swept parameters that differ between the members, in the order of the first one.
std::vector<std::string> varying_keys(const std::vector<Member>& members) {
  std::vector<std::string> keys;
  for (const store::ParamRow& param : members.front().run->params) {
    if (!param.swept) continue;
    for (const Member& member : members) {
      const Json* value = swept_value(*member.run, param.key);
      if (value && *value == param.value) continue;
      keys.push_back(param.key);
      break;
    }
  }
  return keys;
}

std::string label_of(const Member& member, const std::vector<std::string>& keys) {
  std::string label;
  for (const std::string& key : keys) {
    if (const Json* value = swept_value(*member.run, key))
      label += (label.empty() ? "" : ", ") + key + " = " + value_text(*value);
  }
  return label.empty() ? member.run->row.short_id : label;
}

Axis axis_of_values(const std::string& key, const std::vector<Json>& values) {
  Axis axis;
  axis.name = key;
  axis.size = values.size();
  const bool numbers = std::all_of(values.begin(), values.end(), [](const Json& v) { return v.is_number(); });
  for (const Json& value : values) {
    if (numbers) axis.coord.push_back(value.get<double>());
    else axis.labels.push_back(value_text(value));
  }
  return axis;
}

// The members along new dimensions, one per varying key; nothing when their own dimensions differ or two share a cell.
std::optional<Grid> stacked(const std::vector<Member>& members, const std::vector<std::string>& keys) {
  Grid out;
  std::vector<std::vector<Json>> values(keys.size());
  for (const Member& member : members) {
    if (member.grid.dims != members.front().grid.dims) return std::nullopt;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const Json* value = swept_value(*member.run, keys[k]);
      if (!value) return std::nullopt;
      if (std::find(values[k].begin(), values[k].end(), *value) == values[k].end()) values[k].push_back(*value);
    }
  }
  std::size_t outer = 1;
  for (std::size_t k = 0; k < keys.size(); ++k) {
    const bool numbers = std::all_of(values[k].begin(), values[k].end(), [](const Json& v) { return v.is_number(); });
    if (numbers)
      std::sort(values[k].begin(), values[k].end(),
                [](const Json& a, const Json& b) { return a.get<double>() < b.get<double>(); });
    out.dims.push_back(axis_of_values(keys[k], values[k]));
    outer *= values[k].size();
  }
  const std::size_t inner = members.front().grid.cells();
  if (keys.empty() || outer > 4 * members.size()) return std::nullopt;
  out.dims.insert(out.dims.end(), members.front().grid.dims.begin(), members.front().grid.dims.end());
  out.values.assign(outer * inner, std::numeric_limits<double>::quiet_NaN());
  const std::vector<double> nowhere = out.values;
  std::vector<bool> taken(outer);
  for (const Member& member : members) {
    std::size_t place = 0;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const Json* value = swept_value(*member.run, keys[k]);
      place = place * values[k].size() +
              static_cast<std::size_t>(std::find(values[k].begin(), values[k].end(), *value) - values[k].begin());
    }
    if (taken[place]) return std::nullopt;
    taken[place] = true;
    for (const auto part : {&Grid::values, &Grid::error, &Grid::low, &Grid::high}) {
      const std::vector<double>& from = member.grid.*part;
      if (from.empty()) continue;
      if ((out.*part).empty()) out.*part = nowhere;
      std::copy(from.begin(), from.end(), (out.*part).begin() + static_cast<std::ptrdiff_t>(place * inner));
    }
  }
  return out;
}

bool names(const FigureSpec& spec, const std::string& dim) {
  return spec.x == dim || spec.y == dim || spec.slider == dim || spec.over == dim || spec.colour == dim ||
         (" " + spec.facet + " ").find(" " + dim + " ") != std::string::npos;
}

// Axes the figure does not speak of: curves get a colour each, maps a panel each.
void place_axes(FigureSpec& spec, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (names(spec, key)) continue;
    const bool curves = spec.as == "line" || spec.as == "bar" || spec.as == "histogram";
    if (curves && spec.colour.empty()) spec.colour = key;
    else spec.facet += (spec.facet.empty() ? "" : " ") + key;
  }
}

void describe(Figure& figure, const std::vector<const RunDetail*>& runs, const std::string& output) {
  for (const RunDetail* run : runs) {
    for (const store::OutputDefRow& declared : run->declared) {
      if (declared.name == output && figure.unit.empty()) figure.unit = declared.unit.value_or("");
      if (declared.name == output && figure.doc.empty()) figure.doc = declared.doc.value_or("");
    }
    for (const store::EventRow& event : run->events) {
      const bool guarded = event.kind.rfind("guard.", 0) == 0;
      if (event.level != "warning" || (!guarded && event.kind.rfind("edit.", 0) != 0)) continue;
      const std::string guard = guarded ? event.kind.substr(6) : event.kind;
      const std::string sentence = fmt::format("[{}] {}{}", guard, event.message.value_or(""),
                                               runs.size() > 1 ? " (run " + run->row.short_id + ")" : "");
      if (std::find(figure.warnings.begin(), figure.warnings.end(), sentence) == figure.warnings.end())
        figure.warnings.push_back(sentence);
    }
  }
  figure.runs = runs.size() == 1 ? "run " + runs[0]->row.short_id : fmt::format("{} runs", runs.size());
}

std::string table_of(const FigureSpec& spec) {
  if (spec.as == "scatter" || spec.as == "table") return spec.of.substr(spec.of.find('/') + 1);
  if (spec.as == "token_grid" && spec.text.find('.') != std::string::npos)
    return spec.text.substr(0, spec.text.rfind('.'));
  return {};
}

[[noreturn]] void nothing_named(const std::string& of, const std::vector<RunDetail>& runs) {
  std::vector<std::string> known;
  for (const RunDetail& run : runs) {
    for (const auto& tensor : run.tensors) known.push_back(tensor.name);
    for (const auto& output : run.outputs) known.push_back(output.name);
    for (const auto& metric : run.metrics) known.push_back(metric.name);
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  throw base::UserError(base::Exit::NoMatch, "no run has an output " + base::quoted(of) + base::did_you_mean(of, known),
                        {}, "report.output");
}

// Kinds that need a table are drawn run by run.
std::vector<Figure> figures_with_tables(const store::Reader& reader, const std::vector<RunDetail>& runs,
                                        const FigureSpec& spec, const std::string& output, const std::string& entry) {
  std::vector<Figure> figures;
  for (const RunDetail& run : runs) {
    if (!entry.empty() && run.row.entry != entry) continue;
    Figure figure;
    figure.spec = spec;
    figure.name = (run.row.entry ? *run.row.entry + "/" : "") + output;
    describe(figure, {&run}, output);
    if (spec.as == "text") {
      const auto text = std::find_if(run.outputs.begin(), run.outputs.end(),
                                     [&](const auto& o) { return o.name == output && o.type == "text"; });
      if (text == run.outputs.end()) continue;
      for (const char* key : {"markdown", "text"}) {
        if (text->doc.is_object() && text->doc.contains(key)) figure.text = text->doc[key].get<std::string>();
      }
      if (text->doc.is_string()) figure.text = text->doc.get<std::string>();
    } else {
      const std::optional<Table> table = find_table(reader, run, table_of(spec));
      if (table) figure.table = *table;
      if (spec.as == "token_grid") {
        std::optional<Grid> grid = find_grid(reader, run, output);
        if (!grid) continue;
        figure.panels.push_back({"", std::move(*grid)});
      } else if (!table) {
        continue;
      }
    }
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace

std::vector<Figure> collect_figure(const store::Reader& reader, const std::vector<RunDetail>& runs,
                                   const FigureSpec& spec) {
  const std::size_t slash = spec.of.find('/');
  const std::string entry = slash == std::string::npos ? "" : spec.of.substr(0, slash);
  const std::string output = slash == std::string::npos ? spec.of : spec.of.substr(slash + 1);
  if (spec.as == "text" || !table_of(spec).empty()) {
    std::vector<Figure> figures = figures_with_tables(reader, runs, spec, output, entry);
    if (figures.empty()) nothing_named(spec.of, runs);
    return figures;
  }
  std::vector<Member> members;
  std::vector<const RunDetail*> used;
  for (const RunDetail& run : runs) {
    if (!entry.empty() && run.row.entry != entry) continue;
    std::optional<Grid> grid = find_grid(reader, run, output);
    if (!grid) continue;
    members.push_back({&run, std::move(*grid)});
    used.push_back(&run);
  }
  if (members.empty()) nothing_named(spec.of, runs);
  Figure figure;
  figure.spec = spec;
  figure.name =
      slash == std::string::npos && used.front()->row.entry ? *used.front()->row.entry + "/" + output : spec.of;
  describe(figure, used, output);
  const std::vector<std::string> keys = varying_keys(members);
  if (members.size() == 1) {
    figure.panels.push_back({"", std::move(members.front().grid)});
  } else if (std::optional<Grid> one = stacked(members, keys)) {
    place_axes(figure.spec, keys);
    figure.panels.push_back({"", std::move(*one)});
  } else {
    const std::size_t shown = std::min(members.size(), kMostFacets);
    if (shown < members.size())
      figure.warnings.push_back(
          fmt::format("[shown] The first {} of {} runs; choose some with a selector.", shown, members.size()));
    for (std::size_t i = 0; i < shown; ++i)
      figure.panels.push_back({label_of(members[i], keys), std::move(members[i].grid)});
    for (const std::string& key : keys) {  // a panel per run answers a facet or slider over the axis
      if (figure.spec.facet == key) figure.spec.facet.clear();
      if (figure.spec.slider == key) figure.spec.slider.clear();
    }
  }
  return {std::move(figure)};
}

}  // namespace diopter::report
