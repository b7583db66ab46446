#include "engine/length_batches.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include <diopter/error.hpp>

namespace diopter::engine {

std::vector<std::vector<Index>> length_groups(const std::vector<Index>& lengths, const LengthBounds& bounds) {
  const auto length = [&](Index place) { return lengths[static_cast<std::size_t>(place)]; };
  std::vector<Index> order(lengths.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return length(a) > length(b); });

  std::vector<std::vector<Index>> groups;
  Index longest = 0, most = 0, padded = 0;  // of the open group, which the longest row left begins
  for (const Index place : order) {
    const Index more = padded + longest - length(place);
    const bool fits = !groups.empty() && static_cast<Index>(groups.back().size()) < most;
    const double size =
        static_cast<double>(longest) * static_cast<double>(groups.empty() ? 0 : groups.back().size() + 1);
    if (fits && (more <= bounds.free_padding || static_cast<double>(more) <= bounds.padding * size)) {
      padded = more;
    } else {
      groups.emplace_back();
      longest = length(place);
      most = bounds.max_rows ? std::max<Index>(1, bounds.max_rows(longest)) : std::numeric_limits<Index>::max();
      padded = 0;
    }
    groups.back().push_back(place);
  }
  for (std::vector<Index>& group : groups) std::sort(group.begin(), group.end());
  std::sort(groups.begin(), groups.end());  // by first places, which differ
  return groups;
}

bool laid_along_positions(const ChangeSpec& change) {
  return change.value.defined() && change.value.dim() > (change.per == Per::Site ? 1 : 2);
}

std::vector<RowBatch> length_batches(const Prompts& rows, const ModelInfo& info, const LengthBounds& bounds) {
  if (rows.size() == 0) throw Error("there are no prompts to run; the set is empty");
  const at::Tensor lengths = rows.lengths().to(at::kCPU).contiguous();
  const Index* begin = lengths.const_data_ptr<Index>();
  std::vector<RowBatch> batches;
  for (std::vector<Index>& group : length_groups({begin, begin + lengths.numel()}, bounds))
    batches.push_back(batch_of_rows(rows, std::move(group), info));
  return batches;
}

}  // namespace diopter::engine
