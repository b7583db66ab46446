// One .safetensors file, mapped. Immutable; views keep the mapping alive after the file object is gone.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weights/tensor_view.hpp"

namespace diopter::weights {

class SafetensorsFile {
 public:
  // UserError(Refused) when it cannot be mapped or its header has a defect.
  explicit SafetensorsFile(const std::filesystem::path& file);

  const std::filesystem::path& path() const noexcept { return path_; }
  const std::map<std::string, TensorView>& tensors() const noexcept { return tensors_; }  // by name
  const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }

 private:
  std::filesystem::path path_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace diopter::weights
