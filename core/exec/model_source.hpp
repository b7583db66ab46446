// model.source -> the folder that holds the model.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <diopter/model_info.hpp>

#include "study/model_settings.hpp"

namespace diopter::exec {

struct ModelFolder {
  std::string name;  // "organism", or the folder's name
  std::filesystem::path folder;
};

// "organism" is built in; a path (./, ../, / or a folder that exists) is itself. UserError(Refused) when it is not
// there.
ModelFolder find_model(const study::ModelSettings& settings);
ModelFolder find_model(const std::string& source);  // of a command line: relative to the current folder

// config.json, generation_config.json (what ends texts), the weights and the tokenizer, in bytewise order: what
// identifies the model.
std::vector<std::filesystem::path> model_files(const ModelFolder& model);

// The canonical configuration under the model's name, from config.json alone.
ModelInfo read_info(const ModelFolder& model);

}  // namespace diopter::exec
