#include "cli/grid_slice.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "base/hints.hpp"

namespace diopter::cli {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw base::UserError(base::Exit::Usage, what, {}, "tensor.slice");
}

std::vector<double> fixed_values(const std::vector<double>& values, std::size_t size, std::size_t inner,
                                 std::size_t index) {
  std::vector<double> out;
  for (std::size_t outer = 0; outer < values.size() / (size * inner); ++outer) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>((outer * size + index) * inner);
    out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(inner));
  }
  return out;
}

}  // namespace

report::Grid fixed_at(const report::Grid& grid, std::size_t dim, std::size_t index) {
  std::size_t inner = 1;
  for (std::size_t d = dim + 1; d < grid.dims.size(); ++d) inner *= grid.dims[d].size;
  report::Grid out;
  out.values = fixed_values(grid.values, grid.dims[dim].size, inner, index);
  if (!grid.error.empty()) out.error = fixed_values(grid.error, grid.dims[dim].size, inner, index);
  out.dims = grid.dims;
  out.dims.erase(out.dims.begin() + static_cast<std::ptrdiff_t>(dim));
  return out;
}

Slice parse_slice(const std::string& text, const report::Grid& grid) {
  const std::size_t equal = text.find('=');
  if (equal == std::string::npos) refuse(fmt::format("--slice '{}': expected DIM=VALUE, such as layer=3", text));
  Slice slice{text.substr(0, equal), 0};
  const std::string value = text.substr(equal + 1);
  std::vector<std::string> names;
  for (const report::Axis& axis : grid.dims) names.push_back(axis.name);
  const int at = grid.index_of(slice.dim);
  if (at < 0)
    refuse(fmt::format("--slice '{}': no dimension '{}'{}", text, slice.dim, base::did_you_mean(slice.dim, names)));
  const report::Axis& axis = grid.dims[static_cast<std::size_t>(at)];
  std::vector<std::size_t> hits;
  for (std::size_t i = 0; i < axis.size; ++i) {
    if ((!axis.labels.empty() || !axis.coord.empty()) && axis.exact(i) == value) hits.push_back(i);
  }
  if (hits.size() > 1) {
    std::string where;
    for (const std::size_t hit : hits) where += (where.empty() ? "" : ", ") + std::to_string(hit);
    refuse(fmt::format("--slice '{}': '{}' stands at {}; give the index", text, value, where));
  }
  if (hits.size() == 1) return {slice.dim, hits[0]};
  long long index = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), index);
  if (error != std::errc() || end != value.data() + value.size()) {
    refuse(fmt::format("--slice '{}': '{}' is no label of '{}'{}", text, value, slice.dim,
                       base::did_you_mean(value, axis.labels)));
  }
  const auto size = static_cast<long long>(axis.size);
  if (index < -size || index >= size)
    refuse(fmt::format("--slice '{}': '{}' has {} places, 0 to {}", text, slice.dim, size, size - 1));
  slice.index = static_cast<std::size_t>(index < 0 ? index + size : index);
  return slice;
}

}  // namespace diopter::cli
