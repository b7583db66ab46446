// Plotly.js as it was set up: <prefix>/share/diopter/plotly.min.js, beside bin/ in the build tree and when installed.
#pragma once

#include <filesystem>
#include <string>

namespace diopter::report {

struct PlotlyAsset {
  std::string source;
  std::string version;  // "4.1.1", from its first lines
  std::string sha256;
};

// The folder above bin/ or libexec/diopter/ of the running program.
std::filesystem::path program_prefix();

// UserError(Refused) with the set-up command when it is missing or not Plotly.js.
PlotlyAsset load_plotly(const std::filesystem::path& prefix = program_prefix());

}  // namespace diopter::report
