// A page of figures as one HTML file that opens without network: bytes are a function of its arguments alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/figure.hpp"
#include "report/plotly_asset.hpp"

namespace diopter::report {

struct PageTable {
  std::string heading;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> numeric;  // per column: right-aligned
};

struct Page {
  std::string title;
  std::string about;                                            // the question
  std::vector<Figure> figures;                                  // the first one is the answer
  std::vector<PageTable> tables;                                // comparison of the runs
  std::vector<std::pair<std::string, std::string>> provenance;  // "manifest" -> "ioi.toml  3fa2.."
  std::string command;                                          // repeats it
};

enum class Assets { Inline, Beside };

struct SideFile {
  std::string name;  // a bare file name, to be written next to the page
  std::string bytes;
};

struct Rendered {
  std::string html;
  std::vector<SideFile> beside;  // plotly-VERSION.min.js (Assets::Beside), raw .npy of figures that were reduced
};

struct RenderOptions {
  Assets assets = Assets::Inline;
  std::size_t max_bytes = 50'000'000;
  std::size_t max_cells = 2'000'000;  // above: block means of at most 512 x 512, the raw values beside, a note
};

// UserError(Usage) when the page is larger than max_bytes, naming the largest figures.
Rendered render_page(const Page& page, const PlotlyAsset& plotly, const RenderOptions& options = {});

}  // namespace diopter::report
