// The metrics block: metric names, and the keys `at`, `normalise`, `min_gap` that a METRIC_LIST brings. Private to the
// room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "study/node.hpp"
#include "study/param_value.hpp"
#include "study/problems.hpp"

namespace diopter::study {

const std::vector<std::string>& metric_names();  // of manifest.md

// What a metric reads of each row besides its prompt: some of "answer", "foil".
std::vector<std::string_view> columns_of_metric(std::string_view metric);

// The three keys from a run's table, defaults filled in; the result goes into each METRIC_LIST and stands as three more
// parameters in the run. `own`: names the kind's table uses itself, which keep that meaning.
std::vector<CheckedParam> read_metric_keys(const Node& table, const std::vector<std::string>& own, Metrics& metrics,
                                           Problems& problems);

}  // namespace diopter::study
