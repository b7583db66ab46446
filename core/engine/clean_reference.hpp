// What kl_to_clean compares with.
#pragma once

#include "engine/metric_reader.hpp"
#include "engine/runner.hpp"

namespace diopter::engine {

// Logits of the clean rows' unedited run where the metrics are read, [n, d_vocab]; of the rows
// themselves when they have no other clean side. Undefined when no metric wants them. `unedited`: the rows' own
// unedited run, may be null.
at::Tensor clean_logits(Runner& runner, const std::vector<Metric>& metrics, const MetricReader& reader,
                        const RowBatch& batch, const TokenCodec* codec, const ForwardPath& path,
                        const ForwardResult* unedited);

}  // namespace diopter::engine
