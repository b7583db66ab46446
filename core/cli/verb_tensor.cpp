// diopter tensor: a tensor of a run as a map, its largest cells, its statistics, or a file.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "cli/export_tensor.hpp"
#include "cli/grid_slice.hpp"
#include "cli/heatmap.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "report/display.hpp"
#include "report/grid_from_store.hpp"
#include "report/roles.hpp"
#include "store/reader.hpp"

namespace diopter::cli {
namespace {

using base::Json;

struct TensorOptions {
  CommonFlags common;
  std::string run, name, out;
  std::vector<std::string> slices, dims;
  std::optional<std::int64_t> step;
  std::size_t top = 0;
  bool stats = false, plain = false;
};

struct Loaded {
  store::TensorData data;
  report::Grid grid;  // after the slices
  std::string unit;
  bool sliced = false;
};

Json place_json(const report::Axis& axis, std::size_t index) {
  if (!axis.labels.empty()) return base::escape_invalid_utf8(axis.labels[index]);
  if (!axis.coord.empty() && axis.coord[index] != std::floor(axis.coord[index])) return axis.coord[index];
  return axis.coord.empty() ? Json(index) : Json(static_cast<std::int64_t>(axis.coord[index]));
}

void write_top(const TensorOptions& options, const Loaded& tensor, const std::string& run_id) {
  std::vector<std::size_t> order(tensor.grid.values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto weight = [&](std::size_t i) {
    return std::isnan(tensor.grid.values[i]) ? -1 : std::abs(tensor.grid.values[i]);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weight(a) > weight(b); });
  order.resize(std::min(order.size(), options.top));
  Rows rows;
  for (const report::Axis& axis : tensor.grid.dims) {
    rows.columns.push_back({axis.name, "", true});
    if (!axis.labels.empty()) rows.columns.push_back({axis.name + "_label", "", false});
  }
  rows.columns.push_back({"value", "", true});
  for (const std::size_t cell : order) {
    std::vector<Json> line;
    std::vector<std::size_t> index(tensor.grid.dims.size());
    for (std::size_t d = tensor.grid.dims.size(), left = cell; d-- > 0; left /= tensor.grid.dims[d].size)
      index[d] = left % tensor.grid.dims[d].size;
    for (std::size_t d = 0; d < tensor.grid.dims.size(); ++d) {
      const report::Axis& axis = tensor.grid.dims[d];
      line.push_back(axis.labels.empty() ? place_json(axis, index[d]) : Json(index[d]));
      if (!axis.labels.empty()) line.push_back(place_json(axis, index[d]));
    }
    line.emplace_back(tensor.grid.values[cell]);
    rows.cells.push_back(std::move(line));
  }
  write_rows(options.common, "diopter.tensor_top/1", rows, std::ssize(rows.cells),
             {{"run", run_id}, {"name", options.name}});
}

void write_stats(const TensorOptions& options, const Loaded& tensor, const std::string& run_id) {
  double sum = 0, squares = 0, low = INFINITY, high = -INFINITY;
  std::int64_t finite = 0;
  for (const double value : tensor.grid.values) {
    if (!std::isfinite(value)) continue;
    sum += value, finite += 1;
    low = std::min(low, value), high = std::max(high, value);
  }
  const double mean = finite ? sum / static_cast<double>(finite) : std::nan("");
  for (const double value : tensor.grid.values) {
    if (std::isfinite(value)) squares += (value - mean) * (value - mean);
  }
  const auto or_nothing = [&](double value) { return finite ? Json(value) : Json(nullptr); };
  Rows rows{{{"name", ""},
             {"dtype", ""},
             {"cells", "", true},
             {"nonfinite", "", true},
             {"min", "", true},
             {"max", "", true},
             {"mean", "", true},
             {"std", "", true}},
            {}};
  const auto cells = std::ssize(tensor.grid.values);
  rows.cells.push_back({options.name, tensor.data.meta.dtype, cells, cells - finite, or_nothing(low), or_nothing(high),
                        or_nothing(mean),
                        or_nothing(std::sqrt(squares / static_cast<double>(std::max<std::int64_t>(1, finite))))});
  write_rows(options.common, "diopter.tensor_stats/1", rows, 1, {{"run", run_id}});
}

void write_file(const TensorOptions& options, const Loaded& tensor) {
  NamedArray array{options.name, tensor.data.meta.dtype, tensor.data.meta.shape, tensor.data.bytes, tensor.grid.dims};
  if (tensor.sliced) {  // a slice is written as float64: the payload's bytes no longer fit
    array.dtype = "f64";
    array.shape.clear();
    for (const report::Axis& axis : tensor.grid.dims) array.shape.push_back(static_cast<std::int64_t>(axis.size));
    array.bytes.assign(tensor.grid.values.size() * 8, '\0');
    std::memcpy(array.bytes.data(), tensor.grid.values.data(), array.bytes.size());
  }
  write_arrays(options.out, {array});
  talk(options.common, fmt::format("{}: {} {}, {} bytes", options.out, array.dtype, options.name,
                                   with_thousands(std::ssize(array.bytes))));
}

void write_document(const Loaded& tensor, const std::string& run_id) {
  Json dims = Json::array(), shape = Json::array();
  for (const report::Axis& axis : tensor.grid.dims) {
    Json dim = {{"name", axis.name}};
    if (!axis.labels.empty()) {
      dim["labels"] = Json::array();
      for (const std::string& text : axis.labels) dim["labels"].push_back(base::escape_invalid_utf8(text));
    }
    if (!axis.ids.empty()) dim["ids"] = axis.ids;
    if (!axis.coord.empty()) dim["coord"] = axis.coord;
    dims.push_back(dim);
    shape.push_back(axis.size);
  }
  write_json({{"schema", "diopter.tensor/1"},
              {"run", run_id},
              {"name", tensor.data.meta.name},
              {"step", tensor.data.meta.step},
              {"dtype", tensor.data.meta.dtype},
              {"shape", shape},
              {"dims", dims},
              {"values", tensor.grid.values}});
}

// Numbers only, for a program that reads lines: rows down, columns across.
void write_map_rows(const TensorOptions& options, const HeatmapData& map) {
  Rows rows;
  rows.columns.push_back({map.rows.name.empty() ? "row" : map.rows.name, ""});
  for (std::size_t c = 0; c < map.columns.size; ++c) {  // labels may repeat: the index makes them unique
    rows.columns.push_back({map.columns.labels.empty()
                                ? map.columns.exact(c)
                                : base::escape_invalid_utf8(map.columns.labels[c]) + "_" + std::to_string(c),
                            "", true});
  }
  for (std::size_t r = 0; r < map.rows.size; ++r) {
    rows.cells.push_back(
        {map.rows.labels.empty() ? Json(map.rows.exact(r)) : Json(base::escape_invalid_utf8(map.rows.labels[r]))});
    for (std::size_t c = 0; c < map.columns.size; ++c)
      rows.cells.back().emplace_back(map.values[r * map.columns.size + c]);
  }
  write_rows(options.common, "diopter.tensor_map/1", rows, std::ssize(rows.cells));
}

void write_map(const TensorOptions& options, Loaded tensor) {
  GridView view;
  if (!options.dims.empty()) {
    if (options.dims.size() != 2) throw base::UserError(base::Exit::Usage, "--dims needs two dimensions: ROW,COL");
    view.row_dim = options.dims[0];
    view.column_dim = options.dims[1];
  }
  report::FigureSpec spec;
  spec.as = "heatmap", spec.of = options.name, spec.x = view.column_dim, spec.y = view.row_dim;
  const report::Roles roles = report::assign_roles(spec, tensor.grid);
  std::vector<std::string> left = roles.facet;
  left.insert(left.end(), roles.select.begin(), roles.select.end());
  std::string where;
  for (const std::string& dim : left) {  // one picture: the rest stands at its first place
    const auto at = static_cast<std::size_t>(tensor.grid.index_of(dim));
    const report::Axis axis = tensor.grid.dims[at];
    where += fmt::format(", {} = {}", dim, report::shown_text(axis.exact(0)));
    if (axis.size > 1)
      talk(options.common, fmt::format("{} has {} places, the first is shown; --slice {}=1", dim, axis.size, dim));
    tensor.grid = fixed_at(tensor.grid, at, 0);
  }
  view.row_dim = roles.y, view.column_dim = roles.x;
  HeatmapData map = heatmap_of(tensor.grid, view, options.name + where);
  map.unit = tensor.unit;
  if (options.common.csv || options.common.md || options.common.jsonl) return write_map_rows(options, map);
  HeatmapOptions look;
  look.colour = options.common.colour() && !options.plain;
  look.true_colour = base::true_colour();
  look.utf8 = base::utf8_locale();
  look.width = base::terminal_width(STDOUT_FILENO);
  if (!base::is_terminal(STDOUT_FILENO)) look.width = std::max<std::size_t>(look.width, 200);
  look.first_row_last = map.rows.labels.empty();
  write_stdout(draw_heatmap(map, look));
}

int tensor(const TensorOptions& options) {
  if (!options.out.empty()) require_known_ending(options.out);
  const store::Reader reader(options.common.store_path());
  const std::string run_id = reader.resolve_run(options.run);
  Loaded loaded{reader.tensor(run_id, options.name, options.step), {}, {}, false};
  loaded.grid = report::grid_of(loaded.data);
  const store::RunRow row = reader.row(run_id);
  for (const store::OutputDefRow& declared : reader.declared_outputs(row.kind, row.kind_version)) {
    if (declared.name == options.name) loaded.unit = declared.unit.value_or("");
  }
  for (const std::string& text : options.slices) {
    const Slice slice = parse_slice(text, loaded.grid);
    loaded.grid = fixed_at(loaded.grid, static_cast<std::size_t>(loaded.grid.index_of(slice.dim)), slice.index);
    loaded.sliced = true;
  }
  if (!options.out.empty()) write_file(options, loaded);
  else if (options.stats) write_stats(options, loaded, run_id);
  else if (options.top > 0) write_top(options, loaded, run_id);
  else if (options.common.json) write_document(loaded, run_id);
  else write_map(options, std::move(loaded));
  return 0;
}

}  // namespace

void add_tensor(CLI::App& app, Action& action) {
  auto options = std::make_shared<TensorOptions>();
  CLI::App* verb =
      app.add_subcommand("tensor", "Draw a tensor of a run, list its largest cells, or write it to a file");
  options->common.add_to(*verb);
  verb->add_option("run", options->run, "An id or its end, or @1 for the newest")->type_name("RUN")->required();
  verb->add_option("name", options->name, "The tensor")->type_name("NAME")->required();
  verb->add_flag("--stats", options->stats, "Count, range, mean, standard deviation");
  verb->add_option("--top", options->top, "The N cells of largest absolute value")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  verb->add_option("--slice", options->slices, "Fix dimensions: layer=3,pos=-1 (an index, a label or a coordinate)")
      ->delimiter(',')
      ->type_name("DIM=V");
  verb->add_option("--dims", options->dims, "Which two to draw")->delimiter(',')->type_name("ROW,COL");
  verb->add_option("--step", options->step, "Of this step (else the last)")->type_name("N");
  verb->add_flag("--plain", options->plain, "No colour");
  verb->add_option("--out", options->out, "Write it: FILE.npy, .npz, .safetensors or .csv")->type_name("FILE");
  verb->callback([options, &action] { action = [options] { return tensor(*options); }; });
}

}  // namespace diopter::cli
