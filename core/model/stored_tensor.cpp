#include "model/stored_tensor.hpp"

#include <ATen/ATen.h>

#include <cstdint>
#include <cstring>

#include "base/error.hpp"

namespace diopter::model {

std::optional<at::ScalarType> scalar_type(weights::Dtype dtype) {
  switch (dtype) {
    case weights::Dtype::F16: return at::kHalf;
    case weights::Dtype::BF16: return at::kBFloat16;
    case weights::Dtype::F32: return at::kFloat;
    case weights::Dtype::F64: return at::kDouble;
    default: return std::nullopt;
  }
}

std::optional<weights::Dtype> stored_dtype(at::ScalarType dtype) {
  switch (dtype) {
    case at::kHalf: return weights::Dtype::F16;
    case at::kBFloat16: return weights::Dtype::BF16;
    case at::kFloat: return weights::Dtype::F32;
    case at::kDouble: return weights::Dtype::F64;
    default: return std::nullopt;
  }
}

at::Tensor as_tensor(const weights::TensorView& view) {
  const std::optional<at::ScalarType> dtype = scalar_type(view.dtype);
  DIOPTER_CHECK(dtype.has_value(), "only floating tensors are weights");
  const std::size_t alignment = weights::element_size(view.dtype);
  if (reinterpret_cast<std::uintptr_t>(view.bytes.data()) % alignment != 0) {
    at::Tensor copy = at::empty(view.shape, at::TensorOptions().dtype(*dtype));
    std::memcpy(copy.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    return copy;
  }
  void* data =
      const_cast<char*>(view.bytes.data());  // from_blob has no const form; Parameters says that it is read-only
  return at::from_blob(
      data, view.shape, [owner = view.owner](void*) {}, at::TensorOptions().dtype(*dtype));
}

}  // namespace diopter::model
