#include "exec/model_source.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/installation.hpp"
#include "model/config.hpp"
#include "text/tokenizer_source.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

ModelFolder of_folder(const fs::path& given, const std::string& shown) {
  std::error_code ignored;
  fs::path folder = given;
  if (fs::is_regular_file(folder, ignored)) folder = folder.parent_path();  // a weights file stands for its folder
  if (!fs::is_directory(folder, ignored)) {
    throw base::UserError(base::Exit::Refused,
                          "model '" + shown + "' is not on this machine: " + folder.string() +
                              " is not a folder; give a folder with config.json and model.safetensors",
                          "model.source=organism is built in", "model.missing");
  }
  const fs::path absolute = fs::weakly_canonical(folder, ignored);
  return {absolute.filename().string(), absolute};
}

}  // namespace

ModelFolder find_model(const study::ModelSettings& settings) {
  return settings.path ? of_folder(*settings.path, settings.source) : find_model(settings.source);
}

ModelFolder find_model(const std::string& source) {
  std::error_code ignored;
  if (source == "organism") {
    const fs::path folder = base::share() / "organism";
    if (!fs::exists(folder / "config.json", ignored)) {
      throw base::UserError(base::Exit::Refused,
                            "the built-in model is missing: there is no " + (folder / "config.json").string() +
                                "; build or install diopter again",
                            {}, "model.missing");
    }
    return {"organism", folder};
  }
  if (fs::exists(source, ignored) || source.starts_with("./") || source.starts_with("../") || source.starts_with("/")) {
    return of_folder(source, source);
  }
  throw base::UserError(base::Exit::Refused,
                        "model '" + source +
                            "' is not on this machine, and downloading models is not yet in this version; "
                            "give a folder with config.json and model.safetensors (./" +
                            source + ")",
                        "model.source=organism is built in", "model.missing");
}

std::vector<fs::path> model_files(const ModelFolder& model) {
  std::vector<fs::path> out = text::tokenizer_files(model.folder);
  for (const auto& entry : fs::directory_iterator(model.folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().filename().string();
    if (name == "config.json" || name == "generation_config.json" || name.ends_with(".safetensors") ||
        name.ends_with(".safetensors.index.json")) {
      out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

ModelInfo read_info(const ModelFolder& model) {
  ModelInfo info = model::read_config(model.folder);
  info.name = model.name;
  return info;
}

}  // namespace diopter::exec
