#include "report/colours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace diopter::report {

Limits colour_limits(const std::vector<double>& values, const double* centre) {
  double low = 0, high = 0;
  bool any = false;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = any ? std::min(low, value) : value;
    high = any ? std::max(high, value) : value;
    any = true;
  }
  if (centre || (low < 0 && high > 0)) {
    const double middle = centre ? *centre : 0.0;
    double reach = std::max(std::abs(high - middle), std::abs(low - middle));
    if (!any || reach == 0) reach = 1;
    return {Scale::Diverging, middle - reach, middle + reach};
  }
  if (low >= 0) low = 0;
  if (low == high) high = low + 1;
  return {Scale::Sequential, low, high};
}

const std::vector<Rgb>& colour_stops(Scale scale) {
  // ColorBrewer RdBu with a white middle, and Blues.
  static const std::vector<Rgb> diverging = {{0x67, 0x00, 0x1f}, {0xb2, 0x18, 0x2b}, {0xd6, 0x60, 0x4d},
                                             {0xf4, 0xa5, 0x82}, {0xfd, 0xdb, 0xc7}, {0xff, 0xff, 0xff},
                                             {0xd1, 0xe5, 0xf0}, {0x92, 0xc5, 0xde}, {0x43, 0x93, 0xc3},
                                             {0x21, 0x66, 0xac}, {0x05, 0x30, 0x61}};
  static const std::vector<Rgb> sequential = {{0xff, 0xff, 0xff}, {0xde, 0xeb, 0xf7}, {0xc6, 0xdb, 0xef},
                                              {0x9e, 0xca, 0xe1}, {0x6b, 0xae, 0xd6}, {0x42, 0x92, 0xc6},
                                              {0x21, 0x71, 0xb5}, {0x08, 0x51, 0x9c}, {0x08, 0x30, 0x6b}};
  return scale == Scale::Diverging ? diverging : sequential;
}

Rgb colour_of(double value, const Limits& limits) {
  const std::vector<Rgb>& stops = colour_stops(limits.scale);
  const double share = std::clamp((value - limits.low) / (limits.high - limits.low), 0.0, 1.0);
  const double place = share * static_cast<double>(stops.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  const double part = place - static_cast<double>(below);
  const auto mix = [&](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(std::lround(a + (b - a) * part));
  };
  const Rgb a = stops[below], b = stops[below + 1];
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b)};
}

std::string css(Rgb c) { return fmt::format("#{:02x}{:02x}{:02x}", c.r, c.g, c.b); }

bool dark(Rgb c) { return 0.299 * c.r + 0.587 * c.g + 0.114 * c.b < 140; }

}  // namespace diopter::report
