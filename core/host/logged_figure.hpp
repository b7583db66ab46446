// Figures are data: the keys of [[report.figure]], checked against the outputs they draw.
#pragma once

#include <string>
#include <vector>

#include <diopter/log.hpp>

#include "base/canonical_json.hpp"

namespace diopter::host {

const std::vector<std::string>& figure_kinds();
base::Json figure_json(const Figure& figure);  // the keys that were given

}  // namespace diopter::host
