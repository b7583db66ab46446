// model.source -> the folder or file that holds the model.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <diopter/model_info.hpp>

#include "study/model_settings.hpp"

namespace diopter::exec {

struct ModelFolder {
  std::string name;  // "organism", the hub id as given, the folder's name, or the file's without extension
  std::filesystem::path folder;
  // When the source was one file of weights (ckpt.pt, stories.bin) and not the folder: that file, which lies there.
  std::optional<std::filesystem::path> weights = {};
  std::optional<std::string> commit = {};  // of a model of the hub

  const std::filesystem::path& path() const { return weights ? *weights : folder; }  // what model::load reads
};

// "organism" is built in; a path (./, ../, / or what exists) is itself: a folder, or a file of weights. A config.json,
// an index, a shard or the only safetensors file stands for its folder. Any other word is a model of the hub, which
// `diopter model pull` must have brought into the cache: nothing is fetched here. UserError(Refused) when it is not
// there.
ModelFolder find_model(const study::ModelSettings& settings);
ModelFolder find_model(const std::string& source);  // of a command line: relative to the current folder

// The files of configuration, weights and tokenizer that a run reads, and generation_config.json (what ends texts), in
// bytewise order: what identifies the model.
std::vector<std::filesystem::path> model_files(const ModelFolder& model);

// Whether the folder's config.json and generation_config.json describe this model: not beside a file of weights that
// says its own sizes.
bool configured_by_folder(const ModelFolder& model);

// The canonical configuration under the model's name, before a weight is read.
ModelInfo read_info(const ModelFolder& model);

}  // namespace diopter::exec
