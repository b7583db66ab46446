// Metrics of edited runs: one forward per combination of the lists in the edits.
#pragma once

#include <vector>

#include <diopter/sweep.hpp>

#include "engine/options.hpp"
#include "engine/runner.hpp"

namespace diopter::engine {

// values double [axis..., prompt]; base: the unedited run. Errors as in capture_rows.
Cells measure_rows(Runner& runner, const Prompts& rows, const std::vector<Metric>& metrics, const Edits& edits,
                   const TokenCodec* codec, const SessionOptions& options);

}  // namespace diopter::engine
