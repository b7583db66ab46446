// A model in any layout that is read -> a folder that transformers and diopter read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "exec/model_source.hpp"

namespace diopter::exec {

struct ConvertRequest {
  ModelFolder model;
  std::filesystem::path folder;         // made; must not be there, or be empty
  std::string family;                   // empty: the model's own; of nanoGPT and minGPT gpt2
  std::string dtype = "float32";        // float32, bfloat16, float16
  std::vector<std::string> transforms;  // weight transforms, made in float32
};

struct Conversion {
  std::string from, to;  // families
  std::int64_t parameters = 0;
  std::vector<std::filesystem::path> files;  // in the folder
  // Of the written model's logits against the source's (with its transforms), on verification_ids.
  double largest_logit = 0, logits = 0;
};

// config.json, model.safetensors, the tokenizer and generation_config.json, all or nothing: written beside `folder`,
// read back, compared, then renamed. UserError: Refused for a model the family cannot express, Usage for a folder that
// is in use, Store when it cannot be written, Failed when what was read back computes something else.
Conversion convert_model(const ConvertRequest& request);

}  // namespace diopter::exec
