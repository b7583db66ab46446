// Sequences in which only repetition can be predicted: a block of random ids, then copies of it.
#include <algorithm>

#include "items.hpp"

namespace training {

std::vector<std::int32_t> induction_ids(std::int64_t vocabulary, const std::vector<std::int32_t>& content,
                                        std::size_t longest, Rng& rng) {
  const bool all_ids = rng.chance(0.5);
  std::vector<std::int32_t> ids;
  const auto random_ids = [&](std::int64_t count) {
    std::vector<std::int32_t> out;
    for (std::int64_t i = 0; i < count; ++i) {
      out.push_back(all_ids ? static_cast<std::int32_t>(rng.between(1, vocabulary - 1)) : rng.pick(content));
    }
    return out;
  };
  const auto append = [&ids](const std::vector<std::int32_t>& more) {
    ids.insert(ids.end(), more.begin(), more.end());
  };

  const double u = rng.uniform();
  if (rng.chance(0.5)) append(random_ids(rng.between(1, 12)));
  const std::vector<std::int32_t> block =
      random_ids(4 + static_cast<std::int64_t>(37 * u * u));  // short blocks are frequent
  append(block);
  const std::int64_t copies = rng.between(1, 3);
  const bool apart = rng.chance(0.3);
  for (std::int64_t copy = 0; copy < copies; ++copy) {
    if (apart) append(random_ids(rng.between(1, 8)));
    append(block);
  }
  ids.resize(std::min(ids.size(), longest));
  return ids;
}

}  // namespace training
