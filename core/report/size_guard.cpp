#include "report/size_guard.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>

#include "report/npy.hpp"

namespace diopter::report {
namespace {

// One dimension in blocks of `width`.
Grid shrink(const Grid& grid, std::size_t at, std::size_t side) {
  const std::size_t size = grid.dims[at].size, width = (size + side - 1) / side, count = (size + width - 1) / width;
  std::size_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < at; ++i) outer *= grid.dims[i].size;
  for (std::size_t i = at + 1; i < grid.dims.size(); ++i) inner *= grid.dims[i].size;
  Grid out;
  out.dims = grid.dims;
  Axis axis;
  axis.name = grid.dims[at].name;
  axis.size = count;
  for (std::size_t b = 0; b < count; ++b) axis.coord.push_back(static_cast<double>(b * width));
  out.dims[at] = axis;
  out.values.assign(outer * count * inner, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t b = 0; b < count; ++b) {
      for (std::size_t i = 0; i < inner; ++i) {
        double sum = 0, n = 0;
        for (std::size_t k = b * width; k < std::min(size, (b + 1) * width); ++k) {
          const double value = grid.values[(o * size + k) * inner + i];
          if (!std::isnan(value)) sum += value, n += 1;
        }
        if (n > 0) out.values[(o * count + b) * inner + i] = sum / n;
      }
    }
  }
  return out;
}

std::string file_name(const std::string& figure, std::size_t panel) {
  std::string name;
  for (const char c : figure) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return fmt::format("{}_{}.npy", name, panel);
}

std::string npy_of(const Grid& grid) {
  std::vector<std::int64_t> shape;
  for (const Axis& axis : grid.dims) shape.push_back(static_cast<std::int64_t>(axis.size));
  std::string bytes(grid.values.size() * 8, '\0');
  std::memcpy(bytes.data(), grid.values.data(), bytes.size());
  return npy_bytes("f64", shape, bytes);
}

}  // namespace

Grid block_means(const Grid& grid, std::size_t side) {
  Grid out = grid;
  for (std::size_t back = 1; back <= 2 && back <= grid.dims.size(); ++back) {
    const std::size_t at = grid.dims.size() - back;
    if (out.dims[at].size > side) out = shrink(out, at, side);
  }
  return out;
}

std::vector<SideFile> reduce_large_figures(std::vector<Figure>& figures, std::size_t max_cells) {
  std::size_t cells = 0;
  for (const Figure& figure : figures) {
    for (const Panel& panel : figure.panels) cells += panel.grid.cells();
  }
  std::vector<SideFile> beside;
  if (cells <= max_cells) return beside;
  for (Figure& figure : figures) {
    std::string files;
    for (std::size_t p = 0; p < figure.panels.size(); ++p) {
      Grid& grid = figure.panels[p].grid;
      Grid small = block_means(grid, kBlockSide);
      if (small.cells() == grid.cells()) continue;
      beside.push_back({file_name(figure.name, beside.size()), npy_of(grid)});
      files += (files.empty() ? "" : ", ") + beside.back().name;
      grid = std::move(small);
    }
    if (!files.empty())
      figure.warnings.push_back(fmt::format(
          "[reduced] Drawn as means of blocks, at most {0} x {0}; every value is in {1}.", kBlockSide, files));
  }
  return beside;
}

}  // namespace diopter::report
