#include <algorithm>
#include <map>

#include "study/node.hpp"
#include "study/run_config.hpp"
#include "study/study.hpp"
#include "study/toml_writer.hpp"

namespace diopter::study {
namespace {

using base::Json;

// Names of the sets in the resolved manifest. A set that differs by model appears once per variant: ioi, ioi_2 ...
std::map<const PromptSet*, std::string> set_names(const Study& study) {
  std::map<const PromptSet*, std::string> out;
  std::map<std::string, int> seen;
  for (const auto& set : study.prompts) {
    const int count = ++seen[set->name];
    out[set.get()] = count == 1 ? set->name : set->name + "_" + std::to_string(count);
  }
  return out;
}

Json rows_json(const PromptSet& set) { return prompt_set_json(set)["rows"]; }

Json file_json(const InputFile& file) { return file.path.empty() ? file.written : file.path.string(); }

// Paths absolute: the resolved manifest may stand anywhere.
Json value_json(const CheckedParam& param, const std::map<const PromptSet*, std::string>& names) {
  if (const auto* path = std::get_if<std::filesystem::path>(&param.value)) return path->string();
  if (const auto* file = std::get_if<InputFile>(&param.value)) return file_json(*file);
  if (const auto* ref = std::get_if<PromptsRef>(&param.value); ref != nullptr && ref->set != nullptr) {
    return names.at(ref->set.get());
  }
  if (const auto* files = std::get_if<std::vector<InputFile>>(&param.value)) {
    Json out = Json::array();
    for (const auto& file : *files) out.push_back(file_json(file));
    return out;
  }
  return param.json;
}

Json model_json(const ModelSettings& model) {
  Json out = to_json(model);
  if (model.path) out["source"] = model.path->string();
  return out;
}

Json run_json(const Run& run, const std::map<const PromptSet*, std::string>& names) {
  Json out = {{"id", run.id}, {"kind", run.kind_written}, {"seed", run.seed}};
  if (run.name != run.id) out["name"] = run.name;
  if (!run.note.empty()) out["note"] = run.note;
  if (!run.tags.empty()) out["tags"] = run.tags;
  if (!run.needs.empty()) out["needs"] = run.needs;
  if (run.model) out["model"] = model_json(*run.model);
  if (run.prompts)
    out["prompts"] = run.prompts->set != nullptr ? names.at(run.prompts->set.get()) : run.prompts->written;
  for (const auto& param : run.params) out[param.name] = value_json(param, names);
  for (const auto& edit : run.edits) {
    Json json = to_json(edit);
    if (edit.value == Edit::Value::File) json["value"] = edit.file.path.string();
    out["edit"].push_back(std::move(json));
  }
  return out;
}

Json expectation_json(const Expectation& e) {
  Json out = {{"of", e.of.written}, {"is", e.is}, {"within", e.within}};
  for (const auto& [key, value] : e.when) out["when"][key] = value;
  return out;
}

Json report_json(const ReportSpec& report) {
  Json out = Json::object();
  if (!report.file.empty()) out["file"] = report.file;
  if (!report.title.empty()) out["title"] = report.title;
  for (const auto& figure : report.figures) {
    Json one = figure.options;
    one["of"] = figure.of.written;
    one["as"] = figure.as;
    out["figure"].push_back(std::move(one));
  }
  return out;
}

// One [model] for all runs when they agree, as people write it.
void lift_common_model(Json& manifest) {
  Json common;
  for (const auto& run : manifest["run"]) {
    if (!run.contains("model")) continue;
    if (common.is_null()) common = run["model"];
    if (common != run["model"]) return;
  }
  if (common.is_null()) return;
  manifest["model"] = common;
  for (auto& run : manifest["run"]) run.erase("model");
}

// The run and all it needs, directly or not; everything when `id` is empty.
std::vector<const Run*> wanted_runs(const Study& study, std::string_view id) {
  std::vector<const Run*> out;
  std::vector<std::string> ids = {std::string(id)};
  for (std::size_t i = 0; i < ids.size() && !id.empty(); ++i) {
    if (const Run* run = study.run(ids[i])) {
      for (const auto& need : run->needs) {
        if (std::find(ids.begin(), ids.end(), need) == ids.end()) ids.push_back(need);
      }
    }
  }
  for (const auto& run : study.runs) {
    if (id.empty() || std::find(ids.begin(), ids.end(), run.id) != ids.end()) out.push_back(&run);
  }
  return out;
}

bool uses(const Run& run, const PromptSet* set) {
  if (run.prompts && run.prompts->set.get() == set) return true;
  return std::any_of(run.params.begin(), run.params.end(), [&](const CheckedParam& param) {
    const auto* ref = std::get_if<PromptsRef>(&param.value);
    return ref != nullptr && ref->set.get() == set;
  });
}

Json manifest_json(const Study& study, std::string_view run_id) {
  const auto names = set_names(study);
  const auto runs = wanted_runs(study, run_id);
  Json out = {{"schema", 1}, {"experiment", {{"name", study.experiment.name}}}, {"run", Json::array()}};
  if (!study.experiment.about.empty()) out["experiment"]["about"] = study.experiment.about;
  if (!study.experiment.tags.empty()) out["experiment"]["tags"] = study.experiment.tags;
  for (const auto& set : study.prompts) {
    if (std::none_of(runs.begin(), runs.end(), [&](const Run* run) { return uses(*run, set.get()); })) continue;
    Json& entry = out["prompts"][names.at(set.get())];
    entry = {{"rows", rows_json(*set)}};
    if (set->align == Align::End) entry["align"] = "end";
  }
  for (const Run* run : runs) out["run"].push_back(run_json(*run, names));
  lift_common_model(out);
  if (run_id.empty()) {
    for (const auto& e : study.expectations) out["expect"].push_back(expectation_json(e));
    for (const auto& r : study.reports) out["report"].push_back(report_json(r));
  }
  out["execution"] = to_json(study.execution);
  return out;
}

}  // namespace

base::Json resolved_json(const Study& study) { return manifest_json(study, {}); }

std::string resolved_toml(const Study& study, std::string_view run_id) {
  Json manifest = manifest_json(study, run_id);
  std::string out = "schema = 1\n\n[experiment]\n" + toml_members(manifest["experiment"], {"name", "about"});
  if (manifest.contains("model")) out += "\n[model]\n" + toml_members(manifest["model"], {"source"});
  const Json sets = manifest.value("prompts", Json::object());
  for (const auto& [name, set] : sets.items()) {
    const std::string key = toml_key(name);
    if (set.contains("align")) out += "\n[prompts." + key + "]\n" + toml_members({{"align", set["align"]}});
    for (const auto& row : set["rows"]) {
      out += "\n[[prompts." + key + ".rows]]\n" + toml_members(row, {"clean", "corrupted", "answer", "foil"});
    }
  }
  for (auto run : manifest["run"]) {
    const Json edits = run.value("edit", Json::array());
    run.erase("edit");
    out += "\n[[run]]\n" + toml_members(run, {"id", "kind", "needs", "model", "prompts"});
    for (const auto& edit : edits) out += "\n[[run.edit]]\n" + toml_members(edit, {"op", "hook", "value"});
  }
  for (const auto& e : manifest.value("expect", Json::array()))
    out += "\n[[expect]]\n" + toml_members(e, {"of", "is", "within"});
  for (auto report : manifest.value("report", Json::array())) {
    const Json figures = report.value("figure", Json::array());
    report.erase("figure");
    out += "\n[[report]]\n" + toml_members(report, {"file"});
    for (const auto& figure : figures) out += "\n[[report.figure]]\n" + toml_members(figure, {"of", "as"});
  }
  return out + "\n[execution]\n" + toml_members(manifest["execution"]);
}

}  // namespace diopter::study
