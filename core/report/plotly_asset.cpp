#include "report/plotly_asset.hpp"

#include <string_view>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"

namespace diopter::report {

PlotlyAsset load_plotly(const std::filesystem::path& prefix) {
  const std::filesystem::path file = prefix / "share/diopter/plotly.min.js";
  if (!std::filesystem::is_regular_file(file)) {
    throw base::UserError(base::Exit::Refused, "Plotly.js is not set up: " + file.string() + " is missing",
                          "./dev setup, then build again; or configure with -DDIOPTER_PLOTLY_JS=FILE (plotly.min.js of "
                          "the pip package plotly)",
                          "report.plotly");
  }
  PlotlyAsset asset;
  asset.source = base::read_file(file);
  constexpr std::string_view kMark = "plotly.js v";
  const std::size_t at = std::string_view(asset.source).substr(0, 400).find(kMark);
  if (at == std::string::npos) {
    throw base::UserError(base::Exit::Refused, file.string() + " is not Plotly.js: its first lines name no version",
                          "./dev setup", "report.plotly");
  }
  const std::size_t from = at + kMark.size();
  asset.version = asset.source.substr(from, asset.source.find_first_not_of("0123456789.", from) - from);
  asset.sha256 = base::sha256(asset.source);
  return asset;
}

}  // namespace diopter::report
