// What the store holds as what a figure draws.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/figure.hpp"
#include "store/reader.hpp"

namespace diopter::report {

// Any dtype of the store as doubles; bytes are row-major, little-endian. UserError(Store) for a wrong length.
std::vector<double> as_doubles(std::string_view dtype, std::string_view bytes);

Axis axis_from_json(const base::Json& dim, std::size_t size);  // {"name","coord"|"labels","ids"}
Grid grid_of(const store::TensorData& tensor);

// The tensor or metric `name` of a run. A metric of several steps is a line over "step"; a single one has no
// dimensions. Nothing when the run has neither.
// Where the run has tensors `name`_low and `name`_high of the same dimensions, they are the grid's interval.
std::optional<Grid> find_grid(const store::Reader& reader, const store::RunDetail& run, const std::string& name);

// The table `name`: text columns from its document, numbers from the tensors "name.column".
std::optional<Table> find_table(const store::Reader& reader, const store::RunDetail& run, const std::string& name);

}  // namespace diopter::report
