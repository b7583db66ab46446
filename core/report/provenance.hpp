// The foot of a page: where its numbers come from.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/page.hpp"
#include "store/reader.hpp"

namespace diopter::report {

using Lines = std::vector<std::pair<std::string, std::string>>;

// Runs, batch, manifest, plan, model and inputs, commit, plugins, program, machine: each fact once, in a fixed order.
Lines provenance_lines(const std::vector<store::RunDetail>& runs);
std::string repeat_command(const std::vector<store::RunDetail>& runs);
// One row per run: the parameters that differ, the last value of each metric with its better direction.
PageTable comparison_table(const std::vector<store::RunDetail>& runs);

}  // namespace diopter::report
