// Where the configuration of a model stands: config.json, or the file of weights itself.
#pragma once

#include <filesystem>
#include <string>

#include "base/canonical_json.hpp"

namespace diopter::model {

struct ConfigSource {
  base::Json config;           // with "model_type"
  std::filesystem::path file;  // where it stands
};

// `path`: a config.json, a folder, or a file of weights. The config.json there counts first; without one the file of
// weights may say its own sizes (llama2.c's header, nanoGPT's model_args). A config.json with the keys of
// TransformerLens' HookedTransformerConfig and no model_type becomes model_type "hooked_transformer".
// UserError(Refused): none there, not JSON, or weights that cannot be read.
ConfigSource find_config(const std::filesystem::path& path);

// Of a folder its name, of a file its name without extension, or its folder's where many files have that name
// (ckpt.pt).
std::string model_name(const std::filesystem::path& path);

}  // namespace diopter::model
