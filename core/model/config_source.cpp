#include "model/config_source.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/error.hpp"
#include "base/files.hpp"
#include "weights/checkpoint.hpp"
#include "weights/checkpoint_files.hpp"

namespace diopter::model {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::Json;
using base::UserError;

Json read_json(const fs::path& file) {
  try {
    return Json::parse(base::read_file(file));
  } catch (const Json::exception& error) {
    throw UserError(Exit::Refused,
                    fmt::format("{}: expected JSON, got something else ({})", file.string(), error.what()),
                    "fetch the file again", "model.config");
  }
}

// TransformerLens writes no model_type; no other layout has these three keys.
void name_the_layout(Json& config) {
  const bool lens =
      config.is_object() && config.contains("d_model") && config.contains("n_layers") && config.contains("d_head");
  if (lens && !config.contains("model_type")) config["model_type"] = "hooked_transformer";
}

// What a file of weights says of its own sizes; nothing for one that holds tensors alone.
std::optional<Json> own_config(const fs::path& weights) {
  if (weights.extension() == ".safetensors" || weights.extension() == ".json") return std::nullopt;
  const Json document = weights::Checkpoint::open(weights).document();
  if (document.contains("model_type")) return document;
  const auto found = document.find("model_args");
  if (found == document.end() || !found->is_object()) return std::nullopt;
  if (found->contains("dim")) {
    throw UserError(
        Exit::Refused,
        fmt::format("{}: expected the model_args of nanoGPT, got those of a training checkpoint of llama2.c",
                    weights.string()),
        "export it to a .bin file with llama2.c's export.py", "model.config");
  }
  Json config = *found;
  config["model_type"] = "nanogpt";
  return config;
}

ConfigSource of_file(const fs::path& file) {
  ConfigSource source{read_json(file), file};
  name_the_layout(source.config);
  return source;
}

}  // namespace

ConfigSource find_config(const fs::path& path) {
  const bool folder = fs::is_directory(path), there = fs::exists(path);
  const fs::path beside = (folder ? path : path.parent_path()) / "config.json";
  if (there && fs::exists(beside)) return of_file(beside);
  std::error_code ignored;
  if (there && !(folder && fs::is_empty(path, ignored))) {
    const fs::path checkpoint = weights::find_checkpoint(path);
    if (auto config = own_config(checkpoint)) return {std::move(*config), checkpoint};
  }
  throw UserError(
      Exit::Refused, fmt::format("expected a model's config.json at {}, got no such file", beside.string()),
      "point to a folder written by save_pretrained; only weights of nanoGPT and llama2.c say their own sizes",
      "model.config");
}

std::string model_name(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  if (fs::is_directory(whole) || !whole.has_extension()) return whole.filename().string();
  for (const char* any :
       {"model", "ckpt", "pytorch_model", "model_final", "final", "checkpoint", "config", "weights"}) {
    if (whole.stem() == any) return whole.parent_path().filename().string();
  }
  return whole.stem().string();
}

}  // namespace diopter::model
