// The weights of a model as tensors by name, whatever the file: safetensors, torch.save (torch_file.hpp), llama2.c
// (llama2c_file.hpp), or the shards that an index names.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/canonical_json.hpp"
#include "weights/tensor_view.hpp"

namespace diopter::weights {

class Checkpoint {
 public:
  // `path`: a file of weights, an index, or a folder (find_checkpoint says which of its files). A file is what its
  // first bytes say; one named *.safetensors is nothing else. UserError(Refused): nothing there, a defect in a file, or
  // an index that names a file outside the folder, a tensor its shard lacks, or misses one its shards have.
  static Checkpoint open(const std::filesystem::path& path);

  const std::map<std::string, TensorView>& tensors() const noexcept { return tensors_; }  // by name
  const std::vector<std::filesystem::path>& files() const noexcept { return files_; }     // sorted; without the index
  const std::map<std::string, std::string>& metadata() const noexcept {
    return metadata_;
  }  // of a single safetensors file; else empty
  // What a single file says about itself beside tensors: the settings in a torch checkpoint, or a config.json made of
  // the header of a llama2.c file; else an empty object.
  const base::Json& document() const noexcept { return document_; }

 private:
  void add_file(const std::filesystem::path& file);
  static Checkpoint open_index(const std::filesystem::path& index);

  std::map<std::string, TensorView> tensors_;
  std::vector<std::filesystem::path> files_;
  std::map<std::string, std::string> metadata_;
  base::Json document_ = base::Json::object();
};

}  // namespace diopter::weights
