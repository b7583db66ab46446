// A map of numbers on a terminal: what `diopter tensor` shows and what `diopter run` prints after a run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/figure.hpp"

namespace diopter::cli {

struct HeatmapData {
  std::string title;           // "effect (0 = corrupted, 1 = clean restored)"
  report::Axis rows, columns;  // sizes and labels
  std::vector<double> values;  // [row, column]; NaN and infinities are marked
  std::optional<double> centre;
  std::string unit;
};

struct HeatmapOptions {
  bool colour = false;         // cells in colour
  bool true_colour = false;    // 24-bit; else the 256-colour palette
  bool utf8 = true;            // half blocks; else spaces
  std::size_t width = 100;     // of a line
  bool first_row_last = true;  // row 0 at the bottom (layers)
};

// Numbers with two decimals ("." where they round to nothing) when a line holds them; wider maps: half blocks with
// colour, one signed digit per cell without. Always with the scale. Ends with a newline.
std::string draw_heatmap(const HeatmapData& data, const HeatmapOptions& options);

// The tensor's map as its figure would show it; dimensions that are not drawn are fixed at `at` (0 by default).
struct GridView {
  std::string row_dim, column_dim;  // "" or a dimension: chosen when empty
  std::vector<std::pair<std::string, std::size_t>> at;
};
HeatmapData heatmap_of(const report::Grid& grid, const GridView& view, std::string title);

}  // namespace diopter::cli
