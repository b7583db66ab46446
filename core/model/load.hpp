// A model's files -> a transformer, and back.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "model/parameters.hpp"

namespace diopter::model {

struct LoadedModel {
  Parameters parameters;                     // with info(); name = the folder's, or the file's without extension
  std::vector<std::filesystem::path> files;  // config and weights that were read: what identifies the model
};

// A folder of config.json and weights (weights/checkpoint_files.hpp: safetensors, torch.save; single files or shards),
// or one file of weights whose configuration it holds itself or has beside it (config_source.hpp). Weights of the
// wanted dtype stay mapped (read-only memory, no copy) where the layout is the family's; others are converted.
// UserError(Refused): config or weights that cannot be read, contradict each other (all missing, extra and misshapen
// tensors at once) or hold NaN or infinities.
LoadedModel load(const std::filesystem::path& path, at::ScalarType dtype = at::kFloat);

// The ids that config.json names for other tools; unset: null there, so that no tool takes its family's usual ids.
struct EndTokens {
  std::optional<std::int64_t> bos, eos;
};

// config.json and model.safetensors in `folder` (made if missing), each whole or not there; transformers and load()
// read them. Any device and dtype (stored as F32, F16 or BF16). UserError when it cannot be written.
void save(const Parameters& parameters, const std::filesystem::path& folder, const EndTokens& tokens = {});

}  // namespace diopter::model
