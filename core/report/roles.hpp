// Which dimension of a tensor plays which part in its figure.
#pragma once

#include <string>
#include <vector>

#include "report/figure.hpp"

namespace diopter::report {

struct Roles {
  std::string x, y;                 // drawn along the axes; y may be empty
  std::string series;               // line, bar, histogram: one colour each
  std::string slider;               // walked by the play button
  std::vector<std::string> facet;   // small multiples
  std::vector<std::string> select;  // a drop-down each
  bool ranked = false;              // bar: all cells as one list, largest first
};

inline constexpr std::size_t kMostFacets = 48;  // more cells than this become a drop-down
inline constexpr std::size_t kRankedBars = 30;

// Every dimension gets exactly one part. Named ones as the spec says; of the rest, "metric" becomes a facet, the last
// two fitting ones the axes, everything else a drop-down. UserError(Usage) naming the dimensions when the spec names
// none of them, or one twice.
Roles assign_roles(const FigureSpec& spec, const Grid& grid);

// `dim` averaged away, NaN left out; the standard error of the mean goes to `error` (NaN for a single value). Intervals
// end here: the mean of several is none.
Grid mean_over(const Grid& grid, const std::string& dim);

// The `count` cells of largest absolute value as one dimension, labelled "L3 H4" or "layer 3, pos 2"; largest first.
Grid ranked(const Grid& grid, std::size_t count);

}  // namespace diopter::report
