#include "model/stored_layout.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "base/error.hpp"

namespace diopter::model {

std::vector<Index> stored_shape(const ModelInfo& info, const StoredName& stored) {
  std::vector<Index> shape = slot_shape(info, stored.slot.part);
  switch (stored.how) {
    case Stored::Transposed: std::swap(shape[0], shape[1]); return shape;
    case Stored::HeadsApart:
      shape.insert(shape.begin() + 1, info.d_head);
      shape[0] /= info.d_head;
      return shape;
    case Stored::ByHead: return {shape[1] / info.d_head, shape[0], info.d_head};
    default: return shape;
  }
}

at::Tensor in_slot(const ModelInfo& info, const StoredName& name, const at::Tensor& stored, at::ScalarType dtype) {
  const std::vector<Index> shape = slot_shape(info, name.slot.part);
  const auto options = at::TensorOptions().dtype(dtype);
  switch (name.how) {
    case Stored::Transposed: return stored.to(dtype).t();
    case Stored::GainMinusOne: return stored.to(dtype).to(dtype == at::kDouble ? at::kDouble : at::kFloat) + 1;
    case Stored::HeadsApart: return stored.to(dtype).reshape(shape);
    case Stored::ByHead: return stored.to(dtype).permute({1, 0, 2}).reshape(shape);
    case Stored::AbsentOnes: return at::ones(shape, options);
    case Stored::AbsentZeros: return at::zeros(shape, options);
    case Stored::Zero:
    case Stored::AsIs: break;
  }
  return stored.to(dtype);
}

at::Tensor as_stored(const ModelInfo& info, const StoredName& name, const at::Tensor& slot) {
  DIOPTER_CHECK(!is_absent(name.how), "what a family does not store is not written");
  const at::Tensor here = slot.detach().to(at::kCPU);
  switch (name.how) {
    case Stored::Transposed: return here.t().contiguous();
    case Stored::GainMinusOne: return (here - 1).contiguous();
    case Stored::HeadsApart: return here.reshape(stored_shape(info, name)).contiguous();
    case Stored::ByHead: return here.unflatten(1, {-1, info.d_head}).permute({1, 0, 2}).contiguous();
    default: return here.contiguous();
  }
}

}  // namespace diopter::model
