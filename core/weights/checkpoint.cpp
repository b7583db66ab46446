#include "weights/checkpoint.hpp"

#include <fmt/format.h>

#include <set>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/mapped_file.hpp"
#include "weights/checkpoint_files.hpp"
#include "weights/llama2c_file.hpp"
#include "weights/safetensors_file.hpp"
#include "weights/torch_file.hpp"

namespace diopter::weights {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::Json;
using base::UserError;

[[noreturn]] void refuse_checkpoint(const std::string& what, const std::string& help = {}) {
  throw UserError(Exit::Refused, what, help, "weights.checkpoint");
}

// The container that the first bytes announce.
enum class Container { Safetensors, Torch, Llama2c };

Container container_of(const fs::path& file, std::string_view bytes) {
  if (file.extension() == ".safetensors") return Container::Safetensors;
  if (is_torch_file(bytes)) return Container::Torch;
  if (bytes.size() > 8 && bytes[8] == '{') return Container::Safetensors;
  if (is_llama2c_file(bytes)) return Container::Llama2c;
  refuse_checkpoint(
      fmt::format("{}: expected a file of safetensors, torch.save or llama2.c, got none of these", file.string()),
      "torch files are those of torch.save (a zip file, or before torch 1.6 a pickle); load others where they come "
      "from "
      "and save the state dict with safetensors");
}

}  // namespace

Checkpoint Checkpoint::open(const fs::path& path) {
  const fs::path found = find_checkpoint(path);
  if (found.extension() == ".json") return open_index(found);
  Checkpoint checkpoint;
  checkpoint.add_file(found);
  return checkpoint;
}

void Checkpoint::add_file(const fs::path& file) {
  const auto mapping = std::make_shared<const base::MappedFile>(file);
  const Container container = container_of(file, mapping->bytes());
  std::map<std::string, TensorView> tensors;
  if (container == Container::Torch) {
    TorchFile read = read_torch_file(mapping->bytes(), mapping, file.string());
    tensors = std::move(read.tensors);
    document_ = std::move(read.document);
  } else if (container == Container::Llama2c) {
    Llama2cFile read = read_llama2c_file(mapping->bytes(), mapping, file.string());
    tensors = std::move(read.tensors);
    document_ = std::move(read.config);
  } else {
    const SafetensorsFile opened(file);
    tensors = opened.tensors();
    metadata_ = opened.metadata();
  }
  for (auto& [name, view] : tensors) {
    view.mapped = view.owner == mapping || container == Container::Safetensors;
    if (!tensors_.emplace(name, std::move(view)).second) {
      refuse_checkpoint(fmt::format("expected every tensor in one shard, got {} in {} and in another",
                                    base::plain_json(name), file.string()));
    }
  }
  files_.push_back(file);
}

Checkpoint Checkpoint::open_index(const fs::path& index) {
  const std::map<std::string, std::string> weight_map = read_weight_map(index);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : weight_map) shards.insert(shard);

  Checkpoint checkpoint;
  std::map<std::string, std::string> found;  // tensor -> shard
  for (const std::string& shard : shards) {
    if (!fs::exists(index.parent_path() / shard)) {
      refuse_checkpoint(fmt::format("{} names the shard {}, which is not beside it", index.string(), shard),
                        "fetch the missing file");
    }
    checkpoint.add_file(index.parent_path() / shard);
    for (const auto& [tensor, view] : checkpoint.tensors_) found.emplace(tensor, shard);
  }
  checkpoint.metadata_.clear();
  checkpoint.document_ = Json::object();
  if (found != weight_map) {
    std::string differences;
    for (const auto& [tensor, shard] : weight_map) {
      if (found.count(tensor) == 0 || found[tensor] != shard)
        differences += fmt::format("\n  {} is not in {}", tensor, shard);
    }
    for (const auto& [tensor, shard] : found) {
      if (weight_map.count(tensor) == 0) differences += fmt::format("\n  {} in {} is not in the index", tensor, shard);
    }
    refuse_checkpoint(fmt::format("{} does not describe its shards:{}", index.string(), differences),
                      "fetch index and shards of the same version");
  }
  return checkpoint;
}

}  // namespace diopter::weights
