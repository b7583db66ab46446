// Ids, needs and stages of runs. Private to the room.
#pragma once

#include <vector>

#include "study/node.hpp"
#include "study/problems.hpp"
#include "study/study.hpp"

namespace diopter::study {

// Ids are unique, needs name runs, no run needs itself through others. Fills `stage`. `tables`: the [[run]] tables,
// same order.
void order_runs(std::vector<Run>& runs, const std::vector<Node>& tables, Problems& problems);

}  // namespace diopter::study
