// Captures: snapshots of chosen values of one forward.
#pragma once

#include <diopter/capture.hpp>
#include <diopter/edits.hpp>

#include "engine/options.hpp"
#include "engine/runner.hpp"

namespace diopter::engine {

// Values [prompt, pos, ...] of `points` (none: only resid and logits), narrowed to `where`, in forward order; NaN where
// a row has no such position. Nothing aliases the model or another value. Error for an unknown glob, a selection the
// hook has no dimension for, positions that no row has, what does not fit the memory budget: all before the first
// forward.
Capture capture_rows(Runner& runner, const Prompts& rows, const HookSet& points, const Where& where, const Edits& edits,
                     const TokenCodec* codec, const SessionOptions& options);

}  // namespace diopter::engine
