#include "exec/plan_batch.hpp"

#include <algorithm>
#include <set>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/installation.hpp"
#include "base/ulid.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

const ModelFacts& facts_of(const CheckedStudy& study, const study::ModelSettings& settings) {
  for (const CheckedRun& run : study.runs) {
    if (run.model && run.run->model->source == settings.source && run.run->model->path == settings.path)
      return *run.model;
  }
  base::internal_error(__FILE__, __LINE__, "a model was planned that was not checked");
}

std::vector<store::PlanPlugin> plugins_of(const CheckedStudy& study, HashCache& hashes) {
  std::vector<store::PlanPlugin> out;
  std::set<std::string> seen;
  for (const CheckedRun& run : study.runs) {
    const host::LoadedPlugin& plugin = *run.kind.plugin;
    const std::string sha256 = hashes.of_file(plugin.file);
    if (seen.insert(sha256).second) {
      out.push_back({.sha256 = sha256,
                     .id = plugin.stamp.id,
                     .version = plugin.stamp.version,
                     .path = plugin.file.string(),
                     .abi_stamp = plugin.stamp.text});
    }
  }
  return out;
}

std::vector<store::PlanInput> inputs_of(const CheckedStudy& study, HashCache& hashes) {
  std::vector<store::PlanInput> out;
  std::set<std::string> seen;
  const auto add = [&](store::PlanInput input) {
    if (seen.insert(input.sha256).second) out.push_back(std::move(input));
  };
  for (const CheckedRun& run : study.runs) {
    if (run.model) {
      std::int64_t bytes = 0;
      base::Json meta = {{"name", run.model->info.name}, {"family", run.model->info.family}};
      if (run.model->folder.commit) meta["commit"] = *run.model->folder.commit;
      for (const auto& file : model_files(run.model->folder)) bytes += static_cast<std::int64_t>(fs::file_size(file));
      add({.sha256 = hashes.of_files(model_files(run.model->folder)),
           .kind = "model",
           .bytes = bytes,
           .path = run.model->folder.path().string(),
           .meta = std::move(meta)});
    }
  }
  for (const CheckedRun& run : study.runs) {
    for (const auto& param : run.run->params) {
      const auto* file = std::get_if<fs::path>(&param.value);
      if (!file || param.cosmetic) continue;
      const bool folder = fs::is_directory(*file);
      add({.sha256 = folder ? base::sha256_tree(*file) : hashes.of_file(*file),
           .kind = "other",
           .bytes = folder ? 0 : static_cast<std::int64_t>(fs::file_size(*file)),
           .path = file->string(),
           .meta = {{"parameter", param.name}}});
    }
  }
  const auto add_tensor = [&](const study::InputFile& file, base::Json meta) {
    if (file.path.empty()) return;
    add({.sha256 = hashes.of_file(file.path),
         .kind = "vector",
         .bytes = static_cast<std::int64_t>(fs::file_size(file.path)),
         .path = file.path.string(),
         .meta = std::move(meta)});
  };
  for (const CheckedRun& run : study.runs) {
    for (const auto& param : run.run->params) {
      if (const auto* file = std::get_if<study::InputFile>(&param.value); file && !param.cosmetic)
        add_tensor(*file, {{"parameter", param.name}});
    }
    for (std::size_t i = 0; i < run.run->edits.size(); ++i) add_tensor(run.run->edits[i].file, {{"edit", i + 1}});
  }
  for (const auto& set : study.study.prompts) {
    const base::Json rows = study::prompt_set_json(*set);
    add({.sha256 = set->sha256,
         .kind = "dataset",
         .bytes = static_cast<std::int64_t>(base::canonical_json(rows).size()),
         .path = set->path.empty() ? std::optional<std::string>() : set->path.string(),
         .meta = {{"name", set->name}, {"rows", set->rows.size()}}});
  }
  return out;
}

store::PlanItem item_of(const study::PlanItem& from, const CheckedStudy& study) {
  store::PlanItem item{.item = from.item,
                       .stage = from.stage,
                       .shard = 0,
                       .entry = from.entry,
                       .name = from.name,
                       .kind = from.kind,
                       .kind_version = from.kind_version,
                       .fingerprint = from.fingerprint,
                       .config = from.config,
                       .swept = from.swept,
                       .seed = from.seed,
                       .inputs = {},
                       .needs = from.needs,
                       .cached = {},
                       .attempt = 1,
                       .retry_of = {}};
  for (const auto& [role, hash] : from.inputs) item.inputs.emplace_back(role, hash);
  // Which commit a branch of the hub stood for: recorded beside the settings, not part of the fingerprint, which has
  // the content's hash.
  if (from.run->model) {
    if (const auto& commit = facts_of(study, *from.run->model).folder.commit) item.config["model"]["commit"] = *commit;
  }
  return item;
}

// Earlier runs: what is answered already, and the number of the next attempt at the rest.
void answer_from_store(std::vector<store::PlanItem>& items, const store::Reader& reader, bool force) {
  std::vector<std::string> fingerprints;
  for (const auto& item : items) fingerprints.push_back(item.fingerprint);
  const auto done = force ? std::map<std::string, std::string>() : reader.succeeded(fingerprints);
  const auto before = reader.last_attempts(fingerprints);
  for (auto& item : items) {
    if (const auto found = done.find(item.fingerprint); found != done.end()) item.cached = found->second;
    const auto last = before.find(item.fingerprint);
    if (item.cached || last == before.end() || last->second.status == "succeeded") continue;
    item.attempt = last->second.attempt + 1;
    item.retry_of = last->second.run_id;
  }
}

}  // namespace

store::Plan plan_batch(const CheckedStudy& study, HashCache& hashes, const store::Reader& reader,
                       const PlanRequest& request) {
  const study::PlanInputs inputs{.model_hash =
                                     [&](const study::ModelSettings& settings) {
                                       return hashes.of_files(model_files(facts_of(study, settings).folder));
                                     },
                                 .backend = backend_of,
                                 .file_hash = {}};
  const study::Plan planned = study::make_plan(study.study, inputs);
  store::Plan plan;
  for (const auto& item : planned.items) plan.items.push_back(item_of(item, study));
  answer_from_store(plan.items, reader, request.force);
  plan.header = {.batch_id = request.batch_spool.filename().string(),
                 .name = study.study.experiment.name,
                 .manifest = {.path = study.study.file,
                              .source = study.study.source,
                              .resolved = study::resolved_json(study.study),
                              .schema_version = 1},
                 .argv = request.argv,
                 .overrides = request.overrides,
                 .executor = "local",
                 .spool_dir = request.batch_spool.string(),
                 .created_at_us = base::now_us(),
                 .shards = 1,
                 .executable = base::executable().string(),
                 .executable_sha256 = hashes.of_file(base::executable()),
                 .plugins = plugins_of(study, hashes),
                 .inputs = inputs_of(study, hashes)};
  return plan;
}

fs::path stored_output(const store::Reader& reader, const std::string& run_id, const std::string& output) {
  for (const auto& row : reader.outputs(run_id)) {
    if (row.name == output && row.path) return reader.directory() / *row.path;
  }
  throw base::UserError(base::Exit::Refused, "run " + base::short_id(run_id) + " has no output '" + output +
                                                 "' in the store; run it again with --force");
}

}  // namespace diopter::exec
