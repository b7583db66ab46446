// One meaning of colour everywhere, page and terminal: positive blue, negative red, white at the centre; one-sided
// Blues.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace diopter::report {

struct Rgb {
  std::uint8_t r = 0, g = 0, b = 0;
  bool operator==(const Rgb&) const = default;
};

enum class Scale { Diverging, Sequential };

// Limits of a colour scale. Diverging: centre +- the largest distance of a finite value from it.
struct Limits {
  Scale scale = Scale::Diverging;
  double low = -1, high = 1;
};

// Diverging when a centre is given or the finite values have both signs; else sequential from 0 (or from the minimum
// when all are negative) to the largest. Never empty: equal ends are moved apart.
Limits colour_limits(const std::vector<double>& values, const double* centre);

const std::vector<Rgb>& colour_stops(Scale scale);  // evenly spaced from low to high
Rgb colour_of(double value, const Limits& limits);  // finite values; beyond the ends: the end's colour
std::string css(Rgb colour);                        // "#1a2b3c"
bool dark(Rgb colour);                              // white text reads better on it

}  // namespace diopter::report
