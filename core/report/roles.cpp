#include "report/roles.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <sstream>

#include "base/error.hpp"
#include "base/hints.hpp"

namespace diopter::report {
namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// The dimensions that have no part yet, in storage order.
class Free {
 public:
  Free(const FigureSpec& spec, const Grid& grid) : spec_(spec) {
    for (const Axis& axis : grid.dims) left_.push_back(&axis);
    for (const Axis& axis : grid.dims) names_.push_back(axis.name);
  }

  // Takes the dimension that key names; "" stays "".
  std::string take(const std::string& key, const std::string& dim) {
    if (dim.empty()) return {};
    const auto found = std::find_if(left_.begin(), left_.end(), [&](const Axis* axis) { return axis->name == dim; });
    if (found == left_.end()) {
      const bool twice = std::find(names_.begin(), names_.end(), dim) != names_.end();
      throw base::UserError(base::Exit::Usage,
                            "figure of " + base::quoted(spec_.of) + ": " + key + " = " + base::quoted(dim) +
                                (twice ? " already has another part" : " is not one of its dimensions") +
                                (twice ? "" : base::did_you_mean(dim, names_)),
                            {}, "report.dimension");
    }
    left_.erase(found);
    return dim;
  }

  // The last dimension fit for an axis: longer than one if there is such, not a list of metrics or prompts if
  // avoidable.
  std::string take_axis(const std::vector<std::string>& preferred) {
    for (const std::string& name : preferred) {
      for (const Axis* axis : left_) {
        if (axis->name == name) return take("x", name);
      }
    }
    const Axis* best = nullptr;
    int best_score = -1;
    for (const Axis* axis : left_) {
      const bool list = axis->name == "metric" || axis->name == "prompt" || axis->name.find('.') != std::string::npos;
      const int score = (list ? 0 : 2) + (axis->size > 1 ? 1 : 0);
      if (score >= best_score) best = axis, best_score = score;
    }
    return best ? take("x", best->name) : std::string();
  }

  bool has(const std::string& name) const {
    return std::any_of(left_.begin(), left_.end(), [&](const Axis* axis) { return axis->name == name; });
  }
  const std::vector<const Axis*>& rest() const { return left_; }

 private:
  const FigureSpec& spec_;
  std::vector<const Axis*> left_;
  std::vector<std::string> names_;
};

bool two_axes(const FigureSpec& spec) {
  return spec.as == "heatmap" || spec.as == "surface" || spec.as == "token_grid" || spec.as == "attention" ||
         (spec.as == "frames" && spec.each == "heatmap");
}

void name_axes(Roles& roles, const FigureSpec& spec, Free& free) {
  if (spec.as == "attention") {
    if (roles.x.empty()) roles.x = free.take_axis({"src"});
    if (roles.y.empty()) roles.y = free.take_axis({"dest"});
  } else if (two_axes(spec)) {
    // Both wanted: the later dimension lies along x, the earlier along y.
    if (roles.x.empty())
      roles.x = free.take_axis(roles.y.empty() ? std::vector<std::string>{"src", "pos"} : std::vector<std::string>{});
    if (roles.y.empty()) roles.y = free.take_axis({"dest", "layer"});
  } else if (roles.x.empty()) {
    roles.x = free.take_axis(spec.as == "token_strip" ? std::vector<std::string>{"pos", "src"}
                                                      : std::vector<std::string>{"step", "coefficient"});
  }
}

}  // namespace

Roles assign_roles(const FigureSpec& spec, const Grid& grid) {
  Roles roles;
  Free free(spec, grid);
  const bool series_kind = spec.as == "line" || spec.as == "bar" || spec.as == "histogram";
  for (const std::string& dim : words(spec.facet)) roles.facet.push_back(free.take("facet", dim));
  roles.slider = free.take("slider", spec.slider);
  if (spec.as == "frames" && roles.slider.empty()) {
    roles.slider = free.take("over", !spec.over.empty()  ? spec.over
                                     : free.has("layer") ? "layer"
                                     : grid.dims.empty() ? ""
                                                         : grid.dims[0].name);
  }
  roles.x = free.take("x", spec.x);
  roles.y = free.take("y", spec.y);
  if (series_kind) roles.series = free.take("colour", spec.colour);
  if (spec.as == "bar" && roles.x.empty() && roles.series.empty()) {
    const auto plain =
        std::count_if(free.rest().begin(), free.rest().end(), [](const Axis* axis) { return axis->name != "metric"; });
    roles.ranked = plain > 1;
  }
  if (spec.as == "histogram") return roles;  // what is left is pooled
  if (!roles.ranked) name_axes(roles, spec, free);
  for (const Axis* axis : std::vector<const Axis*>(free.rest())) {
    if (roles.ranked && axis->name != "metric") continue;
    if (spec.as == "line" && roles.series.empty() && axis->size <= 12) roles.series = axis->name;
    else if (axis->name == "metric" || (spec.as == "attention" && (axis->name == "layer" || axis->name == "head")))
      roles.facet.push_back(axis->name);
    else roles.select.push_back(axis->name);
  }
  if (spec.as == "surface") {  // one scene at a time: browsers keep few WebGL contexts alive
    roles.select.insert(roles.select.end(), roles.facet.begin(), roles.facet.end());
    roles.facet.clear();
  }
  std::size_t facets = 1;
  for (const std::string& dim : roles.facet) facets *= grid.dims[static_cast<std::size_t>(grid.index_of(dim))].size;
  if (facets > kMostFacets && spec.as != "attention") {
    roles.select.insert(roles.select.end(), roles.facet.begin(), roles.facet.end());
    roles.facet.clear();
  }
  return roles;
}

Grid mean_over(const Grid& grid, const std::string& dim) {
  const auto at = static_cast<std::size_t>(grid.index_of(dim));
  Grid out;
  std::size_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < grid.dims.size(); ++i) {
    if (i != at) out.dims.push_back(grid.dims[i]);
    if (i < at) outer *= grid.dims[i].size;
    if (i > at) inner *= grid.dims[i].size;
  }
  const std::size_t n = grid.dims[at].size;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < inner; ++i) {
      double sum = 0, count = 0, squares = 0;
      const auto value = [&](std::size_t k) { return grid.values[(o * n + k) * inner + i]; };
      for (std::size_t k = 0; k < n; ++k) {
        if (!std::isnan(value(k))) sum += value(k), count += 1;
      }
      const double mean = count > 0 ? sum / count : nan;
      for (std::size_t k = 0; k < n; ++k) {
        if (!std::isnan(value(k))) squares += (value(k) - mean) * (value(k) - mean);
      }
      out.values.push_back(mean);
      out.error.push_back(count > 1 ? std::sqrt(squares / (count - 1) / count) : nan);
    }
  }
  return out;
}

Grid ranked(const Grid& grid, std::size_t count) {
  std::vector<std::size_t> order(grid.values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto weight = [&](std::size_t i) { return std::isnan(grid.values[i]) ? -1.0 : std::abs(grid.values[i]); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weight(a) > weight(b); });
  if (order.size() > count) order.resize(count);
  const bool heads = grid.dims.size() == 2 && grid.dims[0].name == "layer" && grid.dims[1].name == "head";
  Grid out;
  Axis axis;
  axis.name = heads ? "head" : "cell";
  for (const std::size_t cell : order) {
    std::vector<std::size_t> index(grid.dims.size());
    for (std::size_t d = grid.dims.size(), left = cell; d-- > 0; left /= grid.dims[d].size)
      index[d] = left % grid.dims[d].size;
    std::string label;
    for (std::size_t d = 0; d < grid.dims.size(); ++d) {
      const Axis& dim = grid.dims[d];
      if (heads) label += (d ? " H" : "L") + dim.exact(index[d]);
      else label += (d ? ", " : "") + dim.name + " " + dim.exact(index[d]);
    }
    axis.labels.push_back(label);
    for (const auto part : {&Grid::values, &Grid::error, &Grid::low, &Grid::high}) {
      if (!(grid.*part).empty()) (out.*part).push_back((grid.*part)[cell]);
    }
  }
  axis.size = order.size();
  out.dims.push_back(std::move(axis));
  return out;
}

}  // namespace diopter::report
