#include "study/run_config.hpp"

namespace diopter::study {

base::Json run_config(const Run& run) {
  base::Json out = base::Json::object();
  for (const auto& param : run.params) out[param.name] = param.json;
  out["seed"] = run.seed;
  if (run.model) out["model"] = to_json(*run.model);
  if (run.prompts) out["prompts"] = run.prompts->written;
  if (!run.edits.empty()) {
    out["edit"] = base::Json::array();
    for (const auto& edit : run.edits) out["edit"].push_back(to_json(edit));
  }
  return out;
}

const base::Json* find_dotted(const base::Json& config, std::string_view key) {
  const base::Json* at = &config;
  while (at->is_object()) {
    if (const auto whole = at->find(std::string(key)); whole != at->end()) return &*whole;
    const std::size_t dot = key.find('.');
    if (dot == std::string_view::npos) return nullptr;
    const auto next = at->find(std::string(key.substr(0, dot)));
    if (next == at->end()) return nullptr;
    at = &*next;
    key.remove_prefix(dot + 1);
  }
  return nullptr;
}

std::vector<std::string> dotted_keys(const base::Json& config) {
  std::vector<std::string> out;
  for (const auto& [key, value] : config.items()) {
    if (!value.is_object()) {
      out.push_back(key);
      continue;
    }
    for (const auto& inner : dotted_keys(value)) out.push_back(key + "." + inner);
  }
  return out;
}

}  // namespace diopter::study
