#include "report/npy.hpp"

#include <fmt/format.h>

#include <map>

#include "base/error.hpp"

namespace diopter::report {
namespace {

std::string widened(std::string_view bfloat16) {
  std::string out;
  for (std::size_t i = 0; i + 2 <= bfloat16.size(); i += 2) {
    out.append(2, '\0');
    out.append(bfloat16.substr(i, 2));
  }
  return out;
}

}  // namespace

std::string npy_bytes(std::string_view dtype, const std::vector<std::int64_t>& shape, std::string_view bytes) {
  static const std::map<std::string_view, const char*> kinds = {
      {"f64", "<f8"}, {"f32", "<f4"}, {"f16", "<f2"}, {"bf16", "<f4"}, {"i64", "<i8"},
      {"i32", "<i4"}, {"i16", "<i2"}, {"i8", "|i1"},  {"u8", "|u1"},   {"bool", "|b1"}};
  const auto kind = kinds.find(dtype);
  if (kind == kinds.end())
    throw base::UserError(base::Exit::Store, fmt::format("a tensor has the unknown type '{}'", dtype));
  std::string sizes;
  for (const std::int64_t size : shape) sizes += fmt::format("{}, ", size);
  if (shape.size() > 1) sizes.resize(sizes.size() - 2);
  else if (shape.size() == 1) sizes.pop_back();
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", kind->second, sizes);
  header.append(63 - (header.size() + 10) % 64, ' ');  // 10 bytes go before it; all together a multiple of 64
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size() & 255);
  out += static_cast<char>(header.size() >> 8);
  return out + header + (dtype == "bf16" ? widened(bytes) : std::string(bytes));
}

}  // namespace diopter::report
