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

namespace {

// Elements that neither overlap nor leave gaps: in some order of its axes it is row-major.
bool is_dense(const weights::TensorView& view) {
  std::int64_t count = 1;
  for (const std::int64_t size : view.shape) count *= size;
  return view.bytes.size() == static_cast<std::size_t>(count) * weights::element_size(view.dtype);
}

}  // namespace

at::Tensor as_tensor(const weights::TensorView& view) {
  const std::optional<at::ScalarType> dtype = scalar_type(view.dtype);
  DIOPTER_CHECK(dtype.has_value(), "only floating tensors are weights");
  const std::size_t alignment = weights::element_size(view.dtype);
  if (reinterpret_cast<std::uintptr_t>(view.bytes.data()) % alignment != 0) {
    const auto elements = static_cast<std::int64_t>(view.bytes.size() / alignment);
    at::Tensor copy = at::empty({elements}, at::TensorOptions().dtype(*dtype));
    std::memcpy(copy.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    if (view.strides.empty()) return copy.view(view.shape);
    return copy.as_strided(view.shape, view.strides).contiguous();
  }
  void* data =
      const_cast<char*>(view.bytes.data());  // from_blob has no const form; Parameters says that it is read-only
  if (!view.strides.empty()) {
    const at::Tensor strided = at::from_blob(
        data, view.shape, view.strides, [owner = view.owner](void*) {}, at::TensorOptions().dtype(*dtype));
    return is_dense(view) ? strided : strided.contiguous();
  }
  return at::from_blob(
      data, view.shape, [owner = view.owner](void*) {}, at::TensorOptions().dtype(*dtype));
}

}  // namespace diopter::model
