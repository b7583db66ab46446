#include "exec/model_source.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/installation.hpp"
#include "exec/model_tokenizer.hpp"
#include "model/config.hpp"
#include "model/config_source.hpp"
#include "weights/checkpoint_files.hpp"
#include "weights/hub/hub_cache.hpp"
#include "weights/hub/hub_settings.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

bool names_weights(const fs::path& file) {
  for (const char* extension : {".safetensors", ".pt", ".pth", ".bin"}) {
    if (file.extension() == extension) return true;
  }
  return false;
}

// Whether the folder's weights are this file, with others perhaps: then it names the folder as well.
bool stands_for_folder(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!fs::exists(folder / "config.json")) return false;
  try {
    const auto files = weights::checkpoint_files(folder);
    return std::any_of(files.begin(), files.end(),
                       [&](const fs::path& one) { return one.filename() == file.filename(); });
  } catch (const base::UserError&) {
    return false;  // none or several to choose from: the source chooses
  }
}

ModelFolder of_folder(const fs::path& given, const std::string& shown) {
  std::error_code ignored;
  const bool file = fs::is_regular_file(given, ignored);
  const fs::path folder = file ? given.parent_path() : given;
  if (file && names_weights(given) && !stands_for_folder(given)) {
    // The folder's true name; the file's own, as a link of the hub's cache it has neither ending nor neighbours.
    const fs::path weights = fs::weakly_canonical(folder.empty() ? "." : folder, ignored) / given.filename();
    return {model::model_name(weights), weights.parent_path(), weights};
  }
  if (!file && !fs::is_directory(folder, ignored)) {
    throw base::UserError(
        base::Exit::Refused,
        "model '" + shown + "' is not on this machine: " + folder.string() +
            " is not there; give a folder with config.json and model.safetensors, or a file of weights",
        "model.source=organism is built in", "model.missing");
  }
  const fs::path absolute = fs::weakly_canonical(folder, ignored);
  return {absolute.filename().string(), absolute, {}};
}

ModelFolder pulled(const std::string& source) {
  const auto id = hub::as_hub_id(source);
  if (!id) {
    throw base::UserError(base::Exit::Refused,
                          "model '" + source + "' is neither a folder nor the name of a model of the hub",
                          "give a folder (./" + source + "), or a name like EleutherAI/pythia-70m", "model.missing");
  }
  const hub::Snapshot snapshot = hub::find_snapshot(hub::hub_settings().cache, *id);
  return {source, snapshot.folder, {}, snapshot.commit};
}

// A configuration alone is enough to check a study; load() says what is missing when weights are wanted.
std::vector<fs::path> weights_of(const ModelFolder& model) {
  try {
    return weights::checkpoint_files(model.path());
  } catch (const base::UserError&) {
    return {};
  }
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
    return {"organism", folder, {}};
  }
  if (fs::exists(source, ignored) || source.starts_with("./") || source.starts_with("../") || source.starts_with("/")) {
    return of_folder(source, source);
  }
  return pulled(source);
}

std::vector<fs::path> model_files(const ModelFolder& model) {
  std::vector<fs::path> out = tokenizer_files(model);
  for (const fs::path& file : weights_of(model)) out.push_back(file);
  out.push_back(model::find_config(model.path()).file);
  const fs::path generation = model.folder / "generation_config.json";  // may say what ends a text
  if (configured_by_folder(model) && fs::is_regular_file(generation)) out.push_back(generation);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool configured_by_folder(const ModelFolder& model) {
  return !model.weights || model::find_config(model.path()).file.filename() == "config.json";
}

ModelInfo read_info(const ModelFolder& model) {
  ModelInfo info = model::read_config(model.path());
  info.name = model.name;
  return info;
}

}  // namespace diopter::exec
