// How much a run may hold, estimated before it starts.
#pragma once

#include <span>

#include <diopter/hook_name.hpp>

#include "engine/row_batch.hpp"

namespace diopter::engine {

// `asked` bytes, or 60 % of what is free when 0.
Index memory_budget(Index asked);

// Rows of one forward whose temporaries take at most a quarter of the budget; at least 1.
Index rows_that_fit(const ModelInfo& info, Index longest, Index budget);

struct CaptureSize {
  HookId id;
  Index bytes;
};
// Error with the size by hook point when all of them exceed the budget.
void check_capture_fits(std::span<const CaptureSize> sizes, const HookTable& hooks, Index budget);

std::string bytes_text(Index bytes);  // "1.2 GB"

}  // namespace diopter::engine
