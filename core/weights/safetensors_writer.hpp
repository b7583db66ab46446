// Writes safetensors files that are either whole or not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weights/dtype.hpp"

namespace diopter::weights {

struct TensorToWrite {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<std::int64_t> shape;
  std::string_view bytes;  // row-major, little-endian; must live until the call returns
};

// To a temporary name beside `file`, fsynced, then renamed; the bytes are streamed, not gathered. Larger elements
// first, then by name, so that every tensor is aligned and equal content gives equal bytes. UserError(Store) names file
// and reason; equal names or bytes that do not fit the shape are bugs.
void write_safetensors(const std::filesystem::path& file, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace diopter::weights
