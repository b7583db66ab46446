#include "study/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "study/run_config.hpp"

namespace diopter::study {
namespace {

std::string hash_of_file(const std::filesystem::path& path, const PlanInputs& inputs) {
  if (inputs.file_hash) return inputs.file_hash(path);
  return std::filesystem::is_directory(path) ? base::sha256_tree(path) : base::sha256_file(path);
}

// Puts what a run reads into the parts: hashes of prompts and files as inputs, outputs of other items as needs.
class Parts {
 public:
  Parts(const Plan& plan, const PlanInputs& inputs) : plan_(plan), inputs_(inputs) {}

  FingerprintParts of(const Run& run) {
    parts_.kind = run.kind->name;
    parts_.kind_version = run.kind->version;
    parts_.seed = run.seed;
    if (run.model) {
      const ModelSettings& m = *run.model;
      parts_.model = {{"bos", m.bos}, {"compute", m.compute}, {"dtype", m.dtype}, {"transforms", m.transforms}};
      parts_.inputs["model"] = inputs_.model_hash(m);
      if (inputs_.backend) parts_.backend = inputs_.backend(m);
    }
    if (run.prompts) add_prompts("prompts", *run.prompts);
    for (const auto& param : run.params) {
      if (!param.cosmetic) add_param(param);
    }
    for (std::size_t i = 0; i < run.edits.size(); ++i) add_edit(run.edits[i], i + 1);
    std::sort(parts_.needs.begin(), parts_.needs.end());
    parts_.needs.erase(std::unique(parts_.needs.begin(), parts_.needs.end()), parts_.needs.end());
    return std::move(parts_);
  }

 private:
  void add_prompts(const std::string& role, const PromptsRef& ref) {
    if (ref.written.empty()) return;  // optional, and not given
    if (ref.set != nullptr) {
      parts_.inputs[role] = ref.set->sha256;
      return;
    }
    const PlanItem* producer = plan_.find(ref.run);
    DIOPTER_CHECK(producer != nullptr, "a run is planned before what it needs");
    parts_.params[role] = fmt::format("@{}/{}", producer->fingerprint, ref.output);  // not by the run's name
    parts_.needs.push_back(producer->fingerprint);
  }

  void add_file(const std::string& role, const std::filesystem::path& path) {
    if (!path.empty()) parts_.inputs[role] = hash_of_file(path, inputs_);
  }

  void add_param(const CheckedParam& param) {
    if (const auto* ref = std::get_if<PromptsRef>(&param.value)) {
      add_prompts(param.name, *ref);
    } else if (const auto* path = std::get_if<std::filesystem::path>(&param.value)) {
      add_file(param.name, *path);
    } else if (const auto* file = std::get_if<InputFile>(&param.value)) {
      add_file(param.name, file->path);
    } else if (const auto* files = std::get_if<std::vector<InputFile>>(&param.value)) {
      for (std::size_t i = 0; i < files->size(); ++i) {
        parts_.inputs[fmt::format("{}.{}", param.name, i + 1)] = hash_of_file((*files)[i].path, inputs_);
      }
    } else {
      parts_.params[param.name] = param.json;
    }
  }

  void add_edit(const Edit& edit, std::size_t number) {
    base::Json json = to_json(edit);
    if (edit.value == Edit::Value::File) {
      const std::string role = fmt::format("edit.{}", number);
      parts_.inputs[role] = hash_of_file(edit.file.path, inputs_);
      json["value"] = "file";  // which one, the input says
    }
    parts_.params["edit"].push_back(std::move(json));
  }

  const Plan& plan_;
  const PlanInputs& inputs_;
  FingerprintParts parts_;
};

}  // namespace

const PlanItem* Plan::find(std::string_view entry) const {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const PlanItem& item) { return item.entry == entry; });
  return found == items.end() ? nullptr : &*found;
}

Plan make_plan(const Study& study, const PlanInputs& inputs) {
  Plan plan;
  for (const Run* run : study.in_order()) {
    DIOPTER_CHECK(run->kind != nullptr, "a plan is made of a study without problems");
    PlanItem item;
    item.item = static_cast<std::int64_t>(plan.items.size());
    item.stage = run->stage;
    item.entry = run->id;
    item.name = run->name;
    item.kind = run->kind->name;
    item.kind_version = run->kind->version;
    item.config = run_config(*run);
    item.seed = run->seed;
    item.parts = Parts(plan, inputs).of(*run);
    item.inputs = item.parts.inputs;
    item.needs = item.parts.needs;
    for (const auto& id : run->needs) {
      const PlanItem* needed = plan.find(id);
      DIOPTER_CHECK(needed != nullptr, "stages put a run after what it needs");
      item.needs_items.push_back(needed->item);
    }
    item.fingerprint = fingerprint(item.parts);
    item.run = run;
    plan.items.push_back(std::move(item));
  }
  return plan;
}

base::Json to_json(const PlanItem& item) {
  return {{"item", item.item},
          {"stage", item.stage},
          {"entry", item.entry},
          {"name", item.name},
          {"kind", item.kind},
          {"kind_version", item.kind_version},
          {"config", item.config},
          {"swept", item.swept},
          {"seed", item.seed},
          {"inputs", item.inputs},
          {"needs", item.needs},
          {"needs_items", item.needs_items},
          {"fingerprint", item.fingerprint}};
}

}  // namespace diopter::study
