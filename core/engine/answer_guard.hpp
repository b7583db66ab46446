// A prompt that already says its answer.
#pragma once

#include <diopter_host/backends.hpp>

#include "engine/metric_reader.hpp"

namespace diopter::engine {

// Warns "answer-in-prompt" for each metric of answers that is read where the answer is not asked for any more: the
// answer stands in the clean prompt, and the token the metric is read at ends a sentence (".", "!", "?") after it, or
// is the answer itself. (That a name occurs in the prompt is no fault: in indirect-object identification the answer
// always does.)
void warn_answer_in_prompt(const std::vector<Metric>& metrics, const RowBatch& batch, const TokenCodec* codec,
                           RunMonitor& monitor);

}  // namespace diopter::engine
