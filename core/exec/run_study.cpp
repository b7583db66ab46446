#include "exec/run_study.hpp"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <set>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/ulid.hpp"
#include "exec/expectations.hpp"
#include "exec/plan_batch.hpp"
#include "exec/provenance.hpp"
#include "exec/write_reports.hpp"
#include "store/ingest.hpp"
#include "store/program.hpp"
#include "study/kind_table.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

const char* output_type(std::uint32_t type) {
  static constexpr const char* kNames[] = {"",     "metric", "tensor", "table",  "figure",
                                           "text", "file",   "model",  "dataset"};
  DIOPTER_CHECK(type < std::size(kNames), "an output has an unknown type");
  return kNames[type];
}

// What the kinds of this study declare: arrows, units and help of listings come from here.
void record_declarations(const CheckedStudy& study, SpoolWriter& writer) {
  std::set<const diopter_kind*> seen;
  for (const CheckedRun& run : study.runs) {
    if (!seen.insert(run.kind.kind).second) continue;
    for (const auto& row : study::outputs_of(*run.kind.kind)) {
      base::Json body = {{"kind", run.kind.kind->name},
                         {"kind_version", run.kind.kind->version},
                         {"name", row.name},
                         {"type", output_type(row.type)},
                         {"doc", row.doc}};
      if (row.unit && *row.unit) body["unit"] = row.unit;
      if (row.better && *row.better) body["better"] = row.better;
      writer.fact("output_def", body);
    }
  }
}

std::string record_environment(const CheckedStudy& study, SpoolWriter& writer) {
  LibraryVersions versions{.program = std::string(store::program_version()),
                           .build_id = {},
                           .libtorch = TORCH_VERSION,
                           .blas = at::get_mkl_version()};
  versions.threads = static_cast<int>(study.study.execution.threads.value_or(at::get_num_threads()));
  versions.interop_threads = at::get_num_interop_threads();
  return record_fact(writer, "environment", environment_fact(versions));
}

// One invocation: its plan is frozen in the spool, its writer appends, ingest takes over.
class Invocation {
 public:
  Invocation(const CheckedStudy& study, const StudyRequest& request)
      : study_(study),
        request_(request),
        store_(request.store),
        spool_(fs::absolute(request.store) / "spool" / base::new_ulid()) {
    take(store::ingest_all(store_, spool_.parent_path()));  // what an earlier process left behind
    HashCache hashes(request.store / "hashes.json");
    plan_ = plan_batch(study, hashes, store::Reader(request.store),
                       {.store = request.store,
                        .batch_spool = spool_,
                        .argv = request.argv,
                        .overrides = request.overrides,
                        .force = request.force});
    hashes.save();
    for (const auto& plugin : plan_.header.plugins) plugin_hashes_[*plugin.path] = plugin.sha256;
    store::write_plan(spool_, plan_);
    report_.batch_id = plan_.header.batch_id;
  }

  StudyReport run() {
    SpoolWriter writer(spool_, {});
    const std::string environment = record_environment(study_, writer);
    const base::Json build = {
        {"version", store::program_version()}, {"compiler", __VERSION__}, {"libtorch", TORCH_VERSION}};
    const std::string source = record_fact(writer, "source_state", source_fact(study_.study.folder, build));
    record_declarations(study_, writer);
    LoadedModels models;
    for (std::size_t i = 0; i < plan_.items.size(); ++i) {
      if (base::interrupted() || stopped_) {
        ++report_.left;
        continue;
      }
      run_one(i, writer, models, environment, source);
    }
    writer.close();
    ingest();
    finish();
    return std::move(report_);
  }

 private:
  void run_one(std::size_t i, SpoolWriter& writer, LoadedModels& models, const std::string& environment,
               const std::string& source) {
    const store::PlanItem& item = plan_.items[i];
    const CheckedRun& run = study_.runs[i];
    ItemReport done{.entry = item.entry,
                    .kind = item.kind,
                    .run_id = item.cached.value_or(""),
                    .cached = item.cached.has_value(),
                    .outcome = {}};
    if (!item.cached) {
      if (const std::string missing = missing_need(item); !missing.empty()) {
        report_.troubles.push_back(fmt::format("{}: not run, since {} has no result", item.entry, missing));
        ++report_.left;
        return;
      }
      if (request_.on_start) request_.on_start(run, i, plan_.items.size());
      const fs::path scratch = spool_.parent_path() / "scratch" / item.fingerprint;
      base::make_directories(scratch);
      const ItemPlace place{.writer = writer,
                            .models = models,
                            .batch_spool = spool_,
                            .scratch = scratch,
                            .output_of = [this](const std::string& fingerprint,
                                                const std::string& output) { return output_of(fingerprint, output); },
                            .plugin_sha256 = plugin_hashes_.at(run.kind.plugin->file.string()),
                            .environment = environment,
                            .source = source,
                            .execution = study_.study.execution,
                            .progress = request_.progress};
      done.outcome = run_item(run, item, place);
      done.run_id = done.outcome.run_id;
      if (done.outcome.status == RunStatus::Succeeded) fs::remove_all(scratch);
      else if (done.outcome.status == RunStatus::Failed && study_.study.execution.on_error == study::OnError::Stop)
        stopped_ = true;
      writer.seal();
      ingest();
    }
    report_.items.push_back(done);
    if (request_.on_finish) request_.on_finish(run, done);
  }

  std::string missing_need(const store::PlanItem& item) const {
    for (const std::string& fingerprint : item.needs) {
      const ItemReport* needed = report_of(fingerprint);
      if (!needed || (!needed->cached && needed->outcome.status != RunStatus::Succeeded))
        return needed ? needed->entry : "a run that it needs";
    }
    return {};
  }

  const ItemReport* report_of(const std::string& fingerprint) const {
    for (std::size_t i = 0; i < plan_.items.size(); ++i) {
      if (plan_.items[i].fingerprint != fingerprint) continue;
      const auto found = std::find_if(report_.items.begin(), report_.items.end(),
                                      [&](const ItemReport& r) { return r.entry == plan_.items[i].entry; });
      if (found != report_.items.end()) return &*found;
    }
    return nullptr;
  }

  fs::path output_of(const std::string& fingerprint, const std::string& output) const {
    const ItemReport* made = report_of(fingerprint);
    return made ? stored_output(store::Reader(request_.store), made->run_id, output) : fs::path();
  }

  void ingest() { take(store::ingest_batch(store_, spool_)); }

  void take(const store::IngestReport& report) {
    for (const auto& problem : report.problems) {
      const std::string line =
          fmt::format("{} could not be taken into the store: {}", problem.file.string(), problem.message);
      if (std::find(report_.troubles.begin(), report_.troubles.end(), line) == report_.troubles.end())
        report_.troubles.push_back(line);
      spooled_ = true;
    }
    for (const auto& crashed : report.crashed) {
      report_.troubles.push_back(fmt::format("run {} of an earlier invocation is now recorded as crashed ({})",
                                             base::short_id(crashed.run_id), crashed.proof));
    }
  }

  void finish() {
    const store::Reader reader(request_.store);
    std::vector<std::string> runs;
    bool failed = report_.left > 0;
    for (const ItemReport& item : report_.items) {
      const bool good = item.cached || item.outcome.status == RunStatus::Succeeded;
      if (good) runs.push_back(item.run_id);
      failed = failed || !good;
    }
    report_.expectations = check_expectations(study_.study, reader, [&](const std::string& entry) {
      const auto found = std::find_if(report_.items.begin(), report_.items.end(),
                                      [&](const ItemReport& item) { return item.entry == entry; });
      return found == report_.items.end() ? std::string() : found->run_id;
    });
    for (const auto& outcome : report_.expectations) {
      failed = failed || outcome.status == study::Outcome::Status::Missed ||
               outcome.status == study::Outcome::Status::Absent;
    }
    try {
      report_.reports = write_reports(study_.study, reader, runs, command());
    } catch (const base::UserError& error) {
      report_.troubles.push_back(fmt::format("no report: {}", error.what()));
      failed = true;
    }
    if (base::interrupted()) report_.exit = static_cast<base::Exit>(128 + base::interrupt_signal());
    else if (spooled_) report_.exit = base::Exit::Spooled;
    else if (failed) report_.exit = base::Exit::Failed;
  }

  std::string command() const {
    std::string out = "diopter run " + base::shell_quoted(study_.study.file);
    for (const auto& word : request_.overrides) out += " " + base::shell_quoted(word);
    return out;
  }

  const CheckedStudy& study_;
  const StudyRequest& request_;
  store::Store store_;
  fs::path spool_;
  store::Plan plan_;
  std::map<std::string, std::string> plugin_hashes_;  // by file
  StudyReport report_;
  bool spooled_ = false, stopped_ = false;
};

}  // namespace

StudyReport run_study(const CheckedStudy& study, const StudyRequest& request) {
  return Invocation(study, request).run();
}

}  // namespace diopter::exec
