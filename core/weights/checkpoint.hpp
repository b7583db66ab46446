// The weights of a model: one safetensors file, or the shards that a model.safetensors.index.json names.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "weights/tensor_view.hpp"

namespace diopter::weights {

class Checkpoint {
 public:
  // `path`: a .safetensors file, a .safetensors.index.json, or a folder with model.safetensors or
  // model.safetensors.index.json (the single file wins, as in transformers).
  // UserError(Refused): nothing there, a defect in a file, or an index that names a file outside the folder, a tensor
  // its shard lacks, or misses one its shards have.
  static Checkpoint open(const std::filesystem::path& path);

  const std::map<std::string, TensorView>& tensors() const noexcept { return tensors_; }  // by name
  const std::vector<std::filesystem::path>& files() const noexcept { return files_; }     // sorted; without the index
  const std::map<std::string, std::string>& metadata() const noexcept {
    return metadata_;
  }  // of a single file; shards: empty

 private:
  void add_file(const std::filesystem::path& file);
  static Checkpoint open_index(const std::filesystem::path& index);

  std::map<std::string, TensorView> tensors_;
  std::vector<std::filesystem::path> files_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace diopter::weights
