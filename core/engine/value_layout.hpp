// A plugin's tensor laid out for the selected part of a hook point.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include <diopter/edits.hpp>

#include "engine/selection.hpp"

namespace diopter::engine {

// Which layer of a per-layer tensor belongs to a point.
struct LayerRank {
  Index layer = -1;  // of the point
  Index rank = 0;    // among the layers the edit touches
  Index count = 1;   // of those
  Index model = 1;   // layers of the model
};

// `value`: [rest], with Per::Row [row of the call, rest], with Per::Layer [layer of the model or of the edit, rest];
// `rest` are the last dimensions of the selected part, each of its size or 1, missing ones on the left are repeated.
// -> broadcastable to selection.sizes(). Error with expected and given shape.
at::Tensor laid_out(const at::Tensor& value, Per per, const LayerRank& layer, const HookPoint& point,
                    const Selection& selection, const RowBatch& batch, const at::TensorOptions& options);

}  // namespace diopter::engine
