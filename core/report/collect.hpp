// From runs in the store to a page: their declared figures, or those a [[report]] asks for; comparison; provenance.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/page.hpp"
#include "store/reader.hpp"

namespace diopter::report {

struct ReportRequest {
  std::vector<std::string> runs;    // ids, in the order in which they are shown
  std::string title, about;         // empty: the experiment's name and question, from the recorded manifest
  std::vector<FigureSpec> figures;  // empty: every figure the runs declared, in manifest order
  std::vector<std::string> only;    // names of declared figures; empty: all
  std::string command;              // empty: `diopter run MANIFEST` with its overrides
};

// A [[report]] table: {"file","title","about","figure":[{..}]}. UserError(Usage) for unknown keys.
ReportRequest request_from_json(const base::Json& report);

// UserError(NoMatch) when the runs have no such output; UserError(Usage) when a figure names no dimension of it. A
// figure that a run declared but that cannot be drawn stands in the page as a sentence, it does not stop the others.
Page collect_page(const store::Reader& reader, const ReportRequest& request);

// One figure over the given runs: stacked along the manifest's axes where the dimensions are equal, side by side where
// not.
std::vector<Figure> collect_figure(const store::Reader& reader, const std::vector<store::RunDetail>& runs,
                                   const FigureSpec& spec);

}  // namespace diopter::report
