// Writes on from prompts: one forward over them, then one token a row and forward, with keys and values kept.
#pragma once

#include <diopter/edits.hpp>
#include <diopter/generation.hpp>

#include "engine/options.hpp"
#include "engine/runner.hpp"

namespace diopter::engine {

// Rows of unequal length go on together, each at its own positions; rows that ended leave the batch. A row that has
// filled the model's context ends with Finish::Context. Edits must be one cell. A custom edit sees [row, 1, ...] in a
// step, of the rows still going, in any order.
Generation generate_rows(Runner& runner, const Prompts& rows, const GenerateOptions& options, const Edits& edits,
                         const TokenCodec* codec, const SessionOptions& session);

}  // namespace diopter::engine
