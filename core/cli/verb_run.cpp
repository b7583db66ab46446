// diopter run MANIFEST: check, run what is missing, store, report.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/interrupt.hpp"
#include "cli/host_verbs.hpp"
#include "cli/run_display.hpp"
#include "host/crash_note.hpp"

namespace diopter::cli {
namespace {

struct RunFlags {
  CommonFlags common;
  std::string manifest;
  std::vector<std::string> overrides;
  std::vector<std::filesystem::path> plugin_path;
  bool force = false;
};

const char* status_name(exec::RunStatus status) {
  switch (status) {
    case exec::RunStatus::Succeeded: return "succeeded";
    case exec::RunStatus::Failed: return "failed";
    case exec::RunStatus::Cancelled: return "cancelled";
    case exec::RunStatus::Timeout: return "timeout";
  }
  return "";
}

base::Json document_of(const exec::StudyReport& report, const study::Problems& problems) {
  base::Json items = base::Json::array(), expectations = base::Json::array(), reports = base::Json::array();
  for (const auto& item : report.items) {
    base::Json warnings = base::Json::array();
    for (const auto& warning : item.outcome.warnings)
      warnings.push_back({{"guard", warning.guard}, {"message", warning.sentence}});
    items.push_back({{"entry", item.entry},
                     {"kind", item.kind},
                     {"run", item.run_id},
                     {"cached", item.cached},
                     {"status", item.cached ? "succeeded" : status_name(item.outcome.status)},
                     {"error", item.outcome.message},
                     {"seconds", item.outcome.seconds},
                     {"warnings", warnings}});
  }
  for (const auto& outcome : report.expectations) {
    expectations.push_back({{"sentence", outcome.sentence},
                            {"held", outcome.status == study::Outcome::Status::Held},
                            {"asked", outcome.status != study::Outcome::Status::NotAsked}});
  }
  for (const auto& page : report.reports) reports.push_back(page.string());
  return {{"schema", "diopter.study/1"},
          {"batch", report.batch_id},
          {"exit", static_cast<int>(report.exit)},
          {"items", items},
          {"expectations", expectations},
          {"reports", reports},
          {"left", report.left},
          {"troubles", report.troubles},
          {"warnings", problems.warning_count()}};
}

int run(const RunFlags& flags, const std::vector<std::string>& argv) {
  exec::KindLibrary kinds(flags.plugin_path);
  study::Problems problems;
  const auto study = exec::check_study(flags.manifest, flags.overrides, kinds, problems);
  if (const std::string text = problems.text(); !text.empty()) fmt::print(stderr, "{}", text);
  if (!study) {
    if (flags.common.json) write_json(problems.json());
    return static_cast<int>(kinds.worst());
  }
  base::install_interrupt_handlers();
  host::install_crash_handlers();
  RunDisplay display(flags.common);
  display.begin(*study);
  const exec::StudyReport report = exec::run_study(
      *study,
      {.store = flags.common.store_path(),
       .argv = argv,
       .overrides = flags.overrides,
       .force = flags.force,
       .on_start = [&](const exec::CheckedRun& run, std::size_t index,
                       std::size_t of) { display.start(run, index, of); },
       .on_finish = [&](const exec::CheckedRun& run, const exec::ItemReport& item) { display.finish(run, item); },
       .progress = [&](const std::string& what, std::int64_t done, std::int64_t total,
                       const std::string& extra) { display.progress(what, done, total, extra); }});
  display.end(report);
  if (flags.common.json) write_json(document_of(report, problems));
  return static_cast<int>(report.exit);
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* verb = app.add_subcommand("run", "Run a manifest: what is stored already is not run again");
  verb->add_option("manifest", flags->manifest, "the TOML file")->required();
  verb->add_option("overrides", flags->overrides, "KEY=VALUE, e.g. model.source=./gpt2 run.resid.metrics='[\"rank\"]'");
  verb->add_flag("--force", flags->force, "run again what is stored");
  verb->add_option("--plugin-path", flags->plugin_path, "Look for plugins here first")->type_name("DIR");
  flags->common.add_to(*verb);
  verb->callback([flags, &action] {
    action = [flags] {
      std::vector<std::string> argv{"diopter", "run", flags->manifest};
      argv.insert(argv.end(), flags->overrides.begin(), flags->overrides.end());
      if (flags->force) argv.push_back("--force");
      return run(*flags, argv);
    };
  });
}

}  // namespace diopter::cli
