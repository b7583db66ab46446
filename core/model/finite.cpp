#include "model/finite.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <atomic>
#include <cstring>
#include <string_view>

#include "model/stored_tensor.hpp"

namespace diopter::model {
namespace {

// A number is not finite when all bits of its exponent are set. The bytes need not be aligned.
template <class Bits>
std::int64_t count(std::string_view bytes, Bits exponent) {
  std::atomic<std::int64_t> found{0};
  const std::int64_t n = static_cast<std::int64_t>(bytes.size() / sizeof(Bits));
  at::parallel_for(0, n, 1 << 20, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t here = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      Bits bits;
      std::memcpy(&bits, bytes.data() + static_cast<std::size_t>(i) * sizeof(Bits), sizeof(Bits));
      here += (bits & exponent) == exponent;
    }
    found += here;
  });
  return found;
}

}  // namespace

std::int64_t count_not_finite(const weights::TensorView& tensor) {
  // Between the elements of a strided view lie other tensors' bytes.
  if (!tensor.strides.empty() && scalar_type(tensor.dtype))
    return at::isfinite(as_tensor(tensor)).logical_not().sum().item<std::int64_t>();
  switch (tensor.dtype) {
    case weights::Dtype::F16: return count<std::uint16_t>(tensor.bytes, 0x7c00);
    case weights::Dtype::BF16: return count<std::uint16_t>(tensor.bytes, 0x7f80);
    case weights::Dtype::F32: return count<std::uint32_t>(tensor.bytes, 0x7f800000);
    case weights::Dtype::F64: return count<std::uint64_t>(tensor.bytes, 0x7ff0000000000000);
    default: return 0;
  }
}

}  // namespace diopter::model
