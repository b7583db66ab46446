#include "exec/tensor_stats.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace diopter::exec {
namespace {

// IEEE 754 binary16.
double from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const double fraction = bits & 1023;
  double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
  if (exponent == 31) value = fraction == 0 ? INFINITY : NAN;
  return bits & 0x8000 ? -value : value;
}

double from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

template <class T, class Convert>
TensorStats scan(std::string_view bytes, Convert convert) {
  TensorStats out;
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T raw;
    std::memcpy(&raw, bytes.data() + at, sizeof(T));
    const double value = convert(raw);
    if (!std::isfinite(value)) {
      ++out.nonfinite;
      continue;
    }
    if (!out.vmin || value < *out.vmin) out.vmin = value;
    if (!out.vmax || value > *out.vmax) out.vmax = value;
  }
  return out;
}

template <class T>
TensorStats scan_plain(std::string_view bytes) {
  return scan<T>(bytes, [](T value) { return static_cast<double>(value); });
}

}  // namespace

std::size_t dtype_bytes(std::string_view dtype) {
  if (dtype == "f64" || dtype == "i64") return 8;
  if (dtype == "f32" || dtype == "i32") return 4;
  if (dtype == "f16" || dtype == "bf16" || dtype == "i16") return 2;
  if (dtype == "i8" || dtype == "u8" || dtype == "bool") return 1;
  return 0;
}

TensorStats tensor_stats(std::string_view dtype, std::string_view bytes) {
  if (dtype == "f64") return scan_plain<double>(bytes);
  if (dtype == "f32") return scan_plain<float>(bytes);
  if (dtype == "f16") return scan<std::uint16_t>(bytes, from_half);
  if (dtype == "bf16") return scan<std::uint16_t>(bytes, from_bfloat);
  if (dtype == "i64") return scan_plain<std::int64_t>(bytes);
  if (dtype == "i32") return scan_plain<std::int32_t>(bytes);
  if (dtype == "i16") return scan_plain<std::int16_t>(bytes);
  if (dtype == "i8") return scan_plain<std::int8_t>(bytes);
  return scan_plain<std::uint8_t>(bytes);
}

}  // namespace diopter::exec
