// What a figure asks for: the keys of [[report.figure]], the same that a plugin's Log::figure writes. Data, never
// pixels.
#pragma once

#include <optional>
#include <string>

#include "base/canonical_json.hpp"

namespace diopter::report {

// `x`, `y`, `facet`, `slider`, `over`, `colour` name a dimension of the drawn tensor, a column of the drawn table, or
// an axis key of the manifest. Empty: chosen by assign_roles.
struct FigureSpec {
  std::string as;  // heatmap surface frames line scatter bar histogram token_grid token_strip attention table text
  std::string of;  // output, or "entry/output" where a report spans entries
  std::string x, y, facet, slider;
  std::string over;  // frames: the dimension that is walked; elsewhere: a dimension that is averaged (line: +- stderr)
  std::string each;  // frames: "bar" or "heatmap"
  std::string colour, text, title;
  std::string origin = "lower";  // "lower": first row at the bottom (layer 0); "upper": at the top
  std::optional<double> centre;  // heatmaps: the value that is white
};

// UserError(Usage) for an unknown key, kind, `each`, `origin`, or a key of the wrong type; with the nearest name.
FigureSpec parse_figure_spec(const base::Json& document);

}  // namespace diopter::report
