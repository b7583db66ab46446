#include "engine/joined_batches.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace diopter::engine {

at::Tensor joined_batches(const std::vector<at::Tensor>& parts, Index batch_dim) {
  if (parts.size() == 1) return parts.front();
  std::vector<Index> shape(parts.front().sizes().size(), 0);
  for (const at::Tensor& part : parts) {
    for (Index dim = 0; dim < part.dim(); ++dim) {
      Index& size = shape[static_cast<std::size_t>(dim)];
      size = dim == batch_dim ? size + part.size(dim) : std::max(size, part.size(dim));
    }
  }
  at::Tensor whole = at::full(shape, std::nan(""), parts.front().options());
  Index first = 0;
  for (const at::Tensor& part : parts) {
    at::Tensor target = whole.narrow(batch_dim, first, part.size(batch_dim));
    for (Index dim = 0; dim < part.dim(); ++dim) {
      if (dim != batch_dim) target = target.narrow(dim, 0, part.size(dim));
    }
    target.copy_(part);
    first += part.size(batch_dim);
  }
  return whole;
}

}  // namespace diopter::engine
