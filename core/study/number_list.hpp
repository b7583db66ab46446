// { linspace = { from, to, count } }, { logspace = ... }, { range = { from, to, step } } -> numbers. Private to the
// room.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "study/node.hpp"
#include "study/problems.hpp"

namespace diopter::study {

// logspace: `count` values from `from` to `to` (both > 0) in equal ratios. range: `to` included when a step reaches it,
// step 1 by default. At most 100,000 values. Nothing: problems were added.
std::optional<std::vector<double>> expand_floats(const Node& table, Problems& problems);
std::optional<std::vector<std::int64_t>> expand_integers(const Node& table, Problems& problems);  // range only

}  // namespace diopter::study
