// A figure as the page's script reads it: values in base64, every label twice (as drawn and exact), parts assigned.
#pragma once

#include "base/canonical_json.hpp"
#include "report/figure.hpp"

namespace diopter::report {

// {"kind","each","name","unit","origin","roles":{..},"limits":[..],"limits_by","panels":[{"label","dims":[{"name","size",
//  "show","exact","numeric"}],"data","error","low","high"}],"columns":[..]}; deterministic. Values become float32: what
//  eyes can tell.
base::Json figure_json(const Figure& figure);

// What figure_json draws: means taken, bars ranked.
std::vector<Panel> drawn_panels(const Figure& figure);

// How many values are NaN or infinite, "" or "3 NaN, 1 +inf".
std::string nonfinite_note(const std::vector<Panel>& panels);

}  // namespace diopter::report
