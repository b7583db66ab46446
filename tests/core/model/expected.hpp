// Tensors of a safetensors file that an oracle wrote.
#pragma once

#include <ATen/ATen.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <string>

#include "model/stored_tensor.hpp"
#include "weights/safetensors_file.hpp"

namespace diopter::model::testing {

inline std::map<std::string, at::Tensor> read_tensors(const std::filesystem::path& path) {
  const weights::SafetensorsFile file(path);
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, view] : file.tensors()) {
    if (view.dtype == weights::Dtype::I64) {
      at::Tensor copy = at::empty(view.shape, at::kLong);
      std::memcpy(copy.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
      tensors.emplace(name, copy);
    } else {
      tensors.emplace(name, as_tensor(view));
    }
  }
  return tensors;
}

}  // namespace diopter::model::testing
