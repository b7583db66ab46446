#include "engine/sweep_values.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace diopter::engine {

SweepValues::SweepValues(std::size_t metrics, Index cell_count, Index prompts) {
  for (std::size_t m = 0; m < metrics; ++m) {
    cells.push_back(at::full({cell_count, prompts}, std::nan(""), at::kDouble));
    base.push_back(at::full({prompts}, std::nan(""), at::kDouble));
  }
  donor.resize(metrics);
  counts.cells = cell_count;
}

void SweepValues::put_references(const RowBatch& batch, const std::vector<at::Tensor>& of_base,
                                 const std::vector<at::Tensor>& of_donor) {
  for (std::size_t m = 0; m < base.size(); ++m) {
    batch.put(base[m], of_base[m]);
    if (m >= of_donor.size()) continue;
    if (!donor[m].defined()) donor[m] = at::full_like(base[m], std::nan(""));
    batch.put(donor[m], of_donor[m]);
  }
}

}  // namespace diopter::engine
