// A figure with its data, ready to draw. Pure values: the collector fills them from the store, tests by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "report/figure_spec.hpp"

namespace diopter::report {

// One dimension. `labels` (exact token strings or names), `ids` and `coord` are empty or as long as `size`.
struct Axis {
  std::string name;
  std::size_t size = 0;
  std::vector<std::string> labels;
  std::vector<std::int64_t> ids;
  std::vector<double> coord;

  bool tokens() const;                         // drawn as token_index
  std::string exact(std::size_t index) const;  // label, else coordinate, else index
  std::string shown(std::size_t index) const;  // for an axis or a heading; see display.hpp
  bool operator==(const Axis&) const = default;
};

// Row-major values over named dimensions; any may be NaN or infinite.
struct Grid {
  std::vector<Axis> dims;
  std::vector<double> values;
  std::vector<double> error;                // +- one standard error; empty or as long as `values`
  std::vector<double> low = {}, high = {};  // ends of an interval; both empty or as long as `values`

  std::size_t cells() const;                   // product of the sizes; 1 without dimensions
  int index_of(const std::string& dim) const;  // -1 when there is none
};

// A column of a table, flattened over `dims` of its Table; numbers or text, never both.
struct Column {
  std::string name;
  bool is_text = false;
  bool is_token = false;  // texts are tokens: shown with visible spaces
  std::vector<double> numbers;
  std::vector<std::string> texts;
  std::size_t size() const { return is_text ? texts.size() : numbers.size(); }
};

struct Table {
  std::vector<Axis> dims;  // may be one anonymous dimension "row"
  std::vector<Column> columns;
  const Column* find(const std::string& name) const;
};

// Equal figures of several runs that could not be stacked into one Grid stand side by side.
struct Panel {
  std::string label;  // "" when there is only one
  Grid grid;
};

struct Figure {
  FigureSpec spec;
  std::string name;  // output it draws, for tools and anchors
  std::string unit;  // "logit", "nat" or ""
  std::string doc;   // one sentence, from the plugin's declaration
  std::string runs;  // "run 8FKQ2M1P", "3 runs of ioi-patching"
  std::vector<Panel> panels;
  Table table;                        // table, scatter; token_grid: the texts in the cells
  std::string text;                   // text: Markdown
  std::vector<std::string> warnings;  // "[gap] clean - corrupted is 0.36, ..."
};

}  // namespace diopter::report
