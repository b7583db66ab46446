#include "schedule.hpp"

#include <algorithm>

namespace training {

double Schedule::rate(diopter::Index step) const {
  const double n = static_cast<double>(step + 1), start = static_cast<double>(steps) * (1 - decay);
  if (n > start) return peak * (1 - (1 - floor) * (n - start) / (static_cast<double>(steps) - start));
  return warmup > 0 ? peak * std::min(1.0, n / static_cast<double>(warmup)) : peak;
}

}  // namespace training
