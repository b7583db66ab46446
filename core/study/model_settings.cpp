#include "study/model_settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hints.hpp"
#include "study/model_reader.hpp"
#include "study/prompt_sets.hpp"
#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

const std::vector<std::string> kTransforms = {"fold_ln", "center_writing_weights", "center_unembed",
                                              "fold_value_biases"};

bool is_path(std::string_view source) {
  for (const char* extension : {".safetensors", ".pt", ".pth", ".bin"}) {
    if (source.ends_with(extension)) return true;
  }
  return source.starts_with("./") || source.starts_with("../") || source.starts_with('/') || source == "." ||
         source == "..";
}

bool is_device(std::string_view device) {
  if (device == "auto" || device == "cpu" || device == "cuda") return true;
  if (!device.starts_with("cuda:") || device.size() == 5 || device.size() > 8) return false;
  return std::all_of(device.begin() + 5, device.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

SourceSpan ModelSettings::where(std::string_view key) const {
  const auto found = spans.find(std::string(key));
  return found == spans.end() ? span : found->second;
}

base::Json to_json(const ModelSettings& model) {
  return {{"source", model.source},   {"dtype", model.dtype}, {"device", model.device},
          {"compute", model.compute}, {"bos", model.bos},     {"transforms", model.transforms}};
}

ModelSettings read_model(const Node& table, const std::string& name, ModelSettings model,
                         const std::filesystem::path& folder, Problems& problems) {
  TableReader reader(table, name, problems);
  if (const auto source = reader.string("source")) {
    const Node& node = table.find("source")->value;
    model.source = *source;
    model.path.reset();
    if (source->empty()) {
      problems.error(node.span, "'source' is empty; name a model, for example \"organism\" or \"gpt2\"");
    } else if (source->starts_with('@')) {
      problems.error(node.span, fmt::format("a model that a run makes ('{}') is not yet in this version", *source));
    } else if (is_path(*source)) {
      model.path = resolve_path(node, folder);
    }
  }
  if (const auto value = reader.choice("dtype", {"float32", "bfloat16", "float16"})) model.dtype = *value;
  if (const auto value = reader.choice("compute", {"float32", "bfloat16"})) model.compute = *value;
  if (const auto value = reader.choice("bos", {"family", "always", "never"})) model.bos = *value;
  if (const auto value = reader.string("device")) {
    model.device = *value;
    if (!is_device(*value)) {
      problems.error(
          table.find("device")->value.span,
          fmt::format("'device' of {} is '{}', which is not a device (known: auto, cpu, cuda, cuda:0)", name, *value));
    }
  }
  if (const auto value = reader.strings("transforms")) {
    model.transforms = *value;
    const auto& items = table.find("transforms")->value.items;
    for (std::size_t i = 0; i < value->size(); ++i) {
      const auto& one = (*value)[i];
      if (std::find(kTransforms.begin(), kTransforms.end(), one) == kTransforms.end()) {
        problems.error(items[i].span,
                       fmt::format("'{}' is not a transform{}", one, base::did_you_mean(one, kTransforms)));
      } else if (std::find(value->begin(), value->begin() + static_cast<std::ptrdiff_t>(i), one) !=
                 value->begin() + static_cast<std::ptrdiff_t>(i)) {
        problems.error(items[i].span, fmt::format("the transform '{}' is there twice", one));
      }
    }
  }
  reader.finish();
  for (const auto& m : table.members) model.spans[m.key] = m.value.span;
  return model;
}

}  // namespace diopter::study
