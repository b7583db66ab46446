// The study's pages, from the store.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/reader.hpp"
#include "study/study.hpp"

namespace diopter::exec {

// Each [[report]], or one page named after the experiment with every figure its runs declare; into <store>/reports.
// `command` repeats the study. UserError when a page cannot be made.
std::vector<std::filesystem::path> write_reports(const study::Study& study, const store::Reader& reader,
                                                 const std::vector<std::string>& runs, const std::string& command);

}  // namespace diopter::exec
