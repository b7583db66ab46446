#include "host/logged_figure.hpp"

#include <cmath>

namespace diopter::host {

const std::vector<std::string>& figure_kinds() {
  static const std::vector<std::string> kinds = {"heatmap",     "surface",   "frames",    "line",
                                                 "scatter",     "bar",       "histogram", "token_grid",
                                                 "token_strip", "attention", "table",     "text"};
  return kinds;
}

base::Json figure_json(const Figure& figure) {
  const std::pair<const char*, Text> keys[] = {
      {"as", figure.as},         {"of", figure.of},         {"x", figure.x},         {"y", figure.y},
      {"facet", figure.facet},   {"slider", figure.slider}, {"over", figure.over},   {"each", figure.each},
      {"colour", figure.colour}, {"text", figure.text},     {"title", figure.title}, {"origin", figure.origin}};
  base::Json out = base::Json::object();
  for (const auto& [key, value] : keys) {
    if (!value.empty()) out[key] = std::string(value);
  }
  if (!std::isnan(figure.centre)) out["centre"] = figure.centre;
  return out;
}

}  // namespace diopter::host
