// The strict reader of a safetensors header. It trusts nothing: the bytes may come from anywhere.
//
// Layout: 8 bytes little-endian N; N bytes of JSON {"name": {"dtype", "shape", "data_offsets": [begin, end]}, ...,
// "__metadata__": {"key": "value"}}, padded with spaces; then the data, which the offsets count from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weights/dtype.hpp"

namespace diopter::weights {

struct StoredTensor {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // from data_start
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::uint64_t data_start = 0;       // from the beginning of the file
  std::vector<StoredTensor> tensors;  // by begin; together they cover the data without hole or overlap
  std::map<std::string, std::string> metadata;
};

inline constexpr std::uint64_t kMaximalHeader = 100'000'000;  // bytes; the limit of the reference implementation

// `file` is the whole file, `name` goes into messages. UserError(Refused, id "weights.safetensors") for the first
// defect.
SafetensorsHeader parse_safetensors_header(std::string_view file, const std::string& name);

}  // namespace diopter::weights
