#include "weights/checkpoint.hpp"

#include <fmt/format.h>

#include <set>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "weights/safetensors_file.hpp"

namespace diopter::weights {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::Json;
using base::UserError;

[[noreturn]] void refuse_checkpoint(const std::string& what, const std::string& help = {}) {
  throw UserError(Exit::Refused, what, help, "weights.checkpoint");
}

// A shard is a plain file name: an index from elsewhere must not reach out of its folder.
void check_shard_name(const std::string& shard, const fs::path& index) {
  const fs::path name(shard);
  if (shard.empty() || name.has_parent_path() || name.is_absolute() || shard == "." || shard == ".." ||
      shard.find('\\') != std::string::npos || shard.find('\0') != std::string::npos) {
    refuse_checkpoint(
        fmt::format("{}: expected plain file names as shards, got {}", index.string(), base::plain_json(shard)),
        "shards lie beside the index; edit the index or fetch it again");
  }
  if (name.extension() != ".safetensors") {
    refuse_checkpoint(
        fmt::format("{}: expected shards named *.safetensors, got {}", index.string(), base::plain_json(shard)));
  }
}

std::map<std::string, std::string> read_weight_map(const fs::path& index) {
  Json json;
  try {
    json = Json::parse(base::read_file(index));
  } catch (const Json::exception& error) {
    refuse_checkpoint(fmt::format("{}: expected JSON, got something else ({})", index.string(), error.what()),
                      "fetch the file again");
  }
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object() ||
      json["weight_map"].empty()) {
    refuse_checkpoint(
        fmt::format("{}: expected an object 'weight_map' from tensor names to file names", index.string()),
        "fetch the file again");
  }
  std::map<std::string, std::string> weight_map;
  for (const auto& [tensor, shard] : json["weight_map"].items()) {
    if (!shard.is_string()) {
      refuse_checkpoint(fmt::format("{}: expected a file name for {}, got {}", index.string(), base::plain_json(tensor),
                                    shard.type_name()));
    }
    check_shard_name(shard.get<std::string>(), index);
    weight_map.emplace(tensor, shard.get<std::string>());
  }
  return weight_map;
}

std::string other_formats(const fs::path& folder) {
  for (const char* name : {"pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack"}) {
    if (fs::exists(folder / name)) {
      return fmt::format("{} is there; load it in transformers and save_pretrained(folder, safe_serialization=True)",
                         name);
    }
  }
  return "point to a folder written by save_pretrained, or to a .safetensors file";
}

}  // namespace

Checkpoint Checkpoint::open(const fs::path& path) {
  if (fs::is_directory(path)) {
    if (fs::exists(path / "model.safetensors")) return open(path / "model.safetensors");
    if (fs::exists(path / "model.safetensors.index.json")) return open_index(path / "model.safetensors.index.json");
    refuse_checkpoint(
        fmt::format("expected model.safetensors or model.safetensors.index.json in {}, got neither", path.string()),
        other_formats(path));
  }
  if (!fs::exists(path))
    refuse_checkpoint(fmt::format("expected weights at {}, got no such file", path.string()), "check the path");
  if (path.extension() == ".json") return open_index(path);
  Checkpoint checkpoint;
  checkpoint.add_file(path);
  return checkpoint;
}

void Checkpoint::add_file(const fs::path& file) {
  const SafetensorsFile opened(file);
  for (const auto& [name, view] : opened.tensors()) {
    if (!tensors_.emplace(name, view).second) {
      refuse_checkpoint(fmt::format("expected every tensor in one shard, got {} in {} and in another",
                                    base::plain_json(name), file.string()));
    }
  }
  files_.push_back(file);
  metadata_ = opened.metadata();
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
