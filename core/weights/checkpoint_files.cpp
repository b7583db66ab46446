#include "weights/checkpoint_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hints.hpp"

namespace diopter::weights {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::Json;
using base::UserError;

[[noreturn]] void refuse_files(const std::string& what, const std::string& help = {}) {
  throw UserError(Exit::Refused, what, help, "weights.checkpoint");
}

bool has_weights_name(const std::string& name) {
  return name.ends_with(".safetensors") || name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth");
}

// A shard is a plain file name: an index from elsewhere must not reach out of its folder.
void check_shard_name(const std::string& shard, const fs::path& index) {
  const fs::path name(shard);
  if (shard.empty() || name.has_parent_path() || name.is_absolute() || shard == "." || shard == ".." ||
      shard.find('\\') != std::string::npos || shard.find('\0') != std::string::npos) {
    refuse_files(
        fmt::format("{}: expected plain file names as shards, got {}", index.string(), base::plain_json(shard)),
        "shards lie beside the index; edit the index or fetch it again");
  }
  if (!has_weights_name(shard)) {
    refuse_files(fmt::format("{}: expected shards named *.safetensors or *.bin, got {}", index.string(),
                             base::plain_json(shard)));
  }
}

// Files that lie beside weights under names like theirs.
bool is_no_weights(const std::string& name) {
  for (const char* prefix : {"optimizer", "scheduler", "scaler", "rng_state", "training_args"}) {
    if (name.starts_with(prefix)) return true;
  }
  return name.starts_with("tok") && name.ends_with(".bin");  // llama2.c's tokenizers
}

fs::path only_candidate(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && has_weights_name(name) && !is_no_weights(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  if (names.size() > 1) {
    names.resize(std::min<std::size_t>(names.size(), 8));
    refuse_files(fmt::format("expected one file of weights in {}, got {}", folder.string(), base::join(names)),
                 "point to one of them");
  }
  if (names.empty()) {
    const bool other = fs::exists(folder / "tf_model.h5") || fs::exists(folder / "flax_model.msgpack");
    refuse_files(
        fmt::format("expected model.safetensors, pytorch_model.bin or an index of one of them in {}, got none",
                    folder.string()),
        other
            ? "load it in transformers and save_pretrained(folder, safe_serialization=True)"
            : "point to a folder written by save_pretrained, or to a file of weights (.safetensors, .pt, .pth, .bin)");
  }
  return folder / names.front();
}

}  // namespace

std::map<std::string, std::string> read_weight_map(const fs::path& index) {
  Json json;
  try {
    json = Json::parse(base::read_file(index));
  } catch (const Json::exception& error) {
    refuse_files(fmt::format("{}: expected JSON, got something else ({})", index.string(), error.what()),
                 "fetch the file again");
  }
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object() ||
      json["weight_map"].empty()) {
    refuse_files(fmt::format("{}: expected an object 'weight_map' from tensor names to file names", index.string()),
                 "fetch the file again");
  }
  std::map<std::string, std::string> weight_map;
  for (const auto& [tensor, shard] : json["weight_map"].items()) {
    if (!shard.is_string()) {
      refuse_files(fmt::format("{}: expected a file name for {}, got {}", index.string(), base::plain_json(tensor),
                               shard.type_name()));
    }
    check_shard_name(shard.get<std::string>(), index);
    weight_map.emplace(tensor, shard.get<std::string>());
  }
  return weight_map;
}

fs::path find_checkpoint(const fs::path& path) {
  if (!fs::is_directory(path)) {
    if (!fs::exists(path))
      refuse_files(fmt::format("expected weights at {}, got no such file", path.string()), "check the path");
    return path;
  }
  for (const char* name : {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                           "pytorch_model.bin.index.json", "ckpt.pt", "model.pth", "model.pt"}) {
    if (fs::exists(path / name)) return path / name;
  }
  return only_candidate(path);
}

std::vector<fs::path> checkpoint_files(const fs::path& path) {
  const fs::path found = find_checkpoint(path);
  std::set<fs::path> files{found};
  if (found.extension() == ".json") {
    for (const auto& [tensor, shard] : read_weight_map(found)) files.insert(found.parent_path() / shard);
  }
  return {files.begin(), files.end()};
}

}  // namespace diopter::weights
