// Plotly.js as it was set up: <prefix>/share/diopter/plotly.min.js, beside bin/ in the build tree and when installed.
#pragma once

#include <filesystem>
#include <string>

#include "base/installation.hpp"

namespace diopter::report {

struct PlotlyAsset {
  std::string source;
  std::string version;  // "4.1.1", from its first lines
  std::string sha256;
};

// UserError(Refused) with the set-up command when it is missing or not Plotly.js.
PlotlyAsset load_plotly(const std::filesystem::path& prefix = base::prefix());

}  // namespace diopter::report
