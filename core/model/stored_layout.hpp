// Between a tensor as its family stores it and its slot.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "model/family.hpp"

namespace diopter::model {

inline constexpr bool is_absent(Stored how) { return how == Stored::AbsentOnes || how == Stored::AbsentZeros; }

// What the file must have for the slot; of an absent one the slot's shape.
std::vector<Index> stored_shape(const ModelInfo& info, const StoredName& stored);

// `stored` of stored_shape and any floating dtype (undefined for an absent one) -> the slot in `dtype`: a view where
// the dtype is the wanted one and the layout allows it, else a copy. Gains of GainMinusOne in float32 or wider.
at::Tensor in_slot(const ModelInfo& info, const StoredName& name, const at::Tensor& stored, at::ScalarType dtype);

// The way back, contiguous on the host.
at::Tensor as_stored(const ModelInfo& info, const StoredName& name, const at::Tensor& slot);

}  // namespace diopter::model
