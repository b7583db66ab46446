#include "report/grid_from_store.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.hpp"
#include "report/display.hpp"

namespace diopter::report {
namespace {

using base::Json;

template <typename T>
void append(std::vector<double>& out, std::string_view bytes) {
  for (std::size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + i, sizeof(T));
    out.push_back(static_cast<double>(value));
  }
}

double from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 31)
    return fraction ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

void append_16(std::vector<double>& out, std::string_view bytes, bool brain) {
  for (std::size_t i = 0; i + 2 <= bytes.size(); i += 2) {
    std::uint16_t bits;
    std::memcpy(&bits, bytes.data() + i, 2);
    out.push_back(brain ? std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16) : from_half(bits));
  }
}

Column column_from(const Json& json) {
  Column column;
  column.name = json.at("name").get<std::string>();
  const std::string type = json.value("type", "");
  column.is_token = type == "token";
  const Json values = json.value("values", Json::array());
  for (const Json& value : values) column.is_text = column.is_text || value.is_string();
  for (const Json& value : values) {
    if (column.is_text) column.texts.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    else column.numbers.push_back(value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
  }
  return column;
}

}  // namespace

std::vector<double> as_doubles(std::string_view dtype, std::string_view bytes) {
  std::vector<double> out;
  if (dtype == "f64") append<double>(out, bytes);
  else if (dtype == "f32") append<float>(out, bytes);
  else if (dtype == "f16" || dtype == "bf16") append_16(out, bytes, dtype == "bf16");
  else if (dtype == "i64") append<std::int64_t>(out, bytes);
  else if (dtype == "i32") append<std::int32_t>(out, bytes);
  else if (dtype == "i16") append<std::int16_t>(out, bytes);
  else if (dtype == "i8") append<std::int8_t>(out, bytes);
  else if (dtype == "u8" || dtype == "bool") append<std::uint8_t>(out, bytes);
  else throw base::UserError(base::Exit::Store, fmt::format("a tensor has the unknown type '{}'", dtype));
  return out;
}

Axis axis_from_json(const Json& dim, std::size_t size) {
  Axis axis;
  axis.name = dim.value("name", "");
  axis.size = size;
  const auto fits = [&](const char* key) {
    return dim.contains(key) && dim[key].is_array() && dim[key].size() == size;
  };
  if (fits("labels")) {
    for (const Json& label : dim["labels"])
      axis.labels.push_back(label.is_string() ? label.get<std::string>() : label.dump());
  }
  if (fits("ids")) {
    for (const Json& id : dim["ids"]) axis.ids.push_back(id.is_number_integer() ? id.get<std::int64_t>() : -1);
  }
  if (fits("coord") && axis.labels.empty()) {
    bool numbers = true;
    for (const Json& value : dim["coord"]) numbers = numbers && value.is_number();
    for (const Json& value : dim["coord"]) {
      if (numbers) axis.coord.push_back(value.get<double>());
      else axis.labels.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return axis;
}

Grid grid_of(const store::TensorData& tensor) {
  Grid grid;
  for (std::size_t i = 0; i < tensor.meta.shape.size(); ++i) {
    grid.dims.push_back(axis_from_json(tensor.meta.dims.at(i), static_cast<std::size_t>(tensor.meta.shape[i])));
  }
  grid.values = as_doubles(tensor.meta.dtype, tensor.bytes);
  if (grid.values.size() != grid.cells()) {
    throw base::UserError(
        base::Exit::Store,
        fmt::format("tensor '{}' has {} values, its shape says {}", tensor.meta.name, grid.values.size(), grid.cells()),
        "diopter db check");
  }
  return grid;
}

namespace {

std::optional<Grid> tensor_named(const store::Reader& reader, const store::RunDetail& run, const std::string& name) {
  for (const store::TensorRow& tensor : run.tensors) {
    if (tensor.name == name) return grid_of(reader.tensor(run.row.id, name));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Grid> find_grid(const store::Reader& reader, const store::RunDetail& run, const std::string& name) {
  if (std::optional<Grid> grid = tensor_named(reader, run, name)) {
    std::optional<Grid> low = tensor_named(reader, run, name + "_low"),
                        high = tensor_named(reader, run, name + "_high");
    if (low && high && low->dims == grid->dims && high->dims == grid->dims) {
      grid->low = std::move(low->values);
      grid->high = std::move(high->values);
    }
    return grid;
  }
  const std::vector<store::MetricRow> steps = reader.metrics(run.row.id, {name});
  if (steps.empty()) return std::nullopt;
  Grid grid;
  bool any_error = false;
  for (const store::MetricRow& step : steps) {
    grid.values.push_back(step.value);
    grid.error.push_back(step.stderr_.value_or(std::numeric_limits<double>::quiet_NaN()));
    any_error = any_error || step.stderr_.has_value();
  }
  if (!any_error) grid.error.clear();
  if (steps.size() > 1) {
    Axis axis{"step", steps.size(), {}, {}, {}};
    for (const store::MetricRow& step : steps) axis.coord.push_back(static_cast<double>(step.step));
    grid.dims.push_back(std::move(axis));
  }
  return grid;
}

std::optional<Table> find_table(const store::Reader& reader, const store::RunDetail& run, const std::string& name) {
  for (const store::OutputRow& output : run.outputs) {
    if (output.name != name || output.type != "table" || !output.doc.is_object()) continue;
    Table table;
    for (const Json& json : output.doc.value("columns", Json::array())) {
      Column column = column_from(json);
      const std::string tensor_name = name + "." + column.name;
      for (const store::TensorRow& row : run.tensors) {
        if (row.name != tensor_name) continue;
        const Grid grid = grid_of(reader.tensor(run.row.id, tensor_name));
        if (!column.is_text) column.numbers = grid.values;  // token columns: their ids; the texts are in the document
        if (table.dims.empty()) table.dims = grid.dims;
      }
      table.columns.push_back(std::move(column));
    }
    const std::size_t rows = table.columns.empty() ? 0 : table.columns.front().size();
    for (const Column& column : table.columns) {
      if (column.size() != rows) {
        throw base::UserError(base::Exit::Store,
                              fmt::format("table '{}': column '{}' has {} values, '{}' has {}", name, column.name,
                                          column.size(), table.columns.front().name, rows));
      }
    }
    if (table.dims.empty()) {
      std::size_t known = 1;
      const Json dims = output.doc.value("dims", Json::array());
      for (const Json& dim : dims) {
        if (!dim.is_object()) continue;
        std::size_t size = 0;
        for (const char* key : {"labels", "coord", "ids"}) {
          if (dim.contains(key) && dim[key].is_array()) size = std::max(size, dim[key].size());
        }
        if (dim.contains("size") && dim["size"].is_number_integer()) size = dim["size"].get<std::size_t>();
        table.dims.push_back(axis_from_json(dim, size));
        known *= size;
      }
      if (known != rows || table.dims.empty()) table.dims = {Axis{"row", rows, {}, {}, {}}};
    }
    return table;
  }
  return std::nullopt;
}

}  // namespace diopter::report
