// A plugin's function as an edit: called with guards.
#pragma once

#include <diopter/edits.hpp>

namespace diopter::engine {

// `edit` of `value` at `point`. Error "it returned [1, 7, 64] where [1, 7, 768] is required." for another shape, dtype
// or device, and when it changed its argument in place.
Tensor guarded(const EditFn& edit, const Tensor& value, const HookPoint& point);

}  // namespace diopter::engine
