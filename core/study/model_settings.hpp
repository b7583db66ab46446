// [model], with a run's own `model = { ... }` on top.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/source_span.hpp"

namespace diopter::study {

struct ModelSettings {
  std::string source;  // "organism" | a path as written | a hub id "gpt2", "EleutherAI/pythia-410m@step3000"
  std::string dtype = "float32";
  std::string device = "auto";
  std::string compute = "float32";
  std::string bos = "family";
  std::vector<std::string> transforms;
  // When `source` is a path (./, ../, /, or *.safetensors, *.pt, *.pth, *.bin): that path, relative to the manifest's
  // folder, or to the current folder when an override gave it. Not checked for existence here.
  std::optional<std::filesystem::path> path;
  SourceSpan span;                          // the [model] header
  std::map<std::string, SourceSpan> spans;  // of the values given: "source", "device", ...

  SourceSpan where(std::string_view key) const;  // of that value; the header when it was not given
};

base::Json to_json(const ModelSettings& model);

// What the model's config says about its sizes, from whoever can read it: axes "layer", "head", "kv_head", "neuron",
// "vocab", "pos" (n_ctx) ... An axis that is not there is not checked.
struct ModelSizes {
  std::string name;  // for messages: "gpt2"
  std::map<std::string, std::int64_t> axes;
};
using SizesOf = std::function<std::optional<ModelSizes>(const ModelSettings&)>;

}  // namespace diopter::study
