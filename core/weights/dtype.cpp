#include "weights/dtype.hpp"

#include <array>

namespace diopter::weights {
namespace {

struct Row {
  Dtype dtype;
  std::string_view name;
  std::size_t size;
};

// In the order of the enumerators, so that an enumerator indexes its row.
constexpr std::array<Row, 15> kRows{{{Dtype::Bool, "BOOL", 1},
                                     {Dtype::U8, "U8", 1},
                                     {Dtype::I8, "I8", 1},
                                     {Dtype::F8E5M2, "F8_E5M2", 1},
                                     {Dtype::F8E4M3, "F8_E4M3", 1},
                                     {Dtype::U16, "U16", 2},
                                     {Dtype::I16, "I16", 2},
                                     {Dtype::F16, "F16", 2},
                                     {Dtype::BF16, "BF16", 2},
                                     {Dtype::U32, "U32", 4},
                                     {Dtype::I32, "I32", 4},
                                     {Dtype::F32, "F32", 4},
                                     {Dtype::U64, "U64", 8},
                                     {Dtype::I64, "I64", 8},
                                     {Dtype::F64, "F64", 8}}};

const Row& row(Dtype dtype) noexcept { return kRows[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::size_t element_size(Dtype dtype) noexcept { return row(dtype).size; }
std::string_view dtype_name(Dtype dtype) noexcept { return row(dtype).name; }

std::optional<Dtype> dtype_from_name(std::string_view name) noexcept {
  for (const Row& r : kRows) {
    if (r.name == name) return r.dtype;
  }
  return std::nullopt;
}

const std::vector<std::string>& dtype_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Row& r : kRows) all.emplace_back(r.name);
    return all;
  }();
  return names;
}

}  // namespace diopter::weights
