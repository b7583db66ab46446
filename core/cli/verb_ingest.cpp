// diopter ingest: what earlier processes left in the spool goes into the store. `diopter run` does it too, before it
// starts.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/ulid.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "store/ingest.hpp"

namespace diopter::cli {
namespace {

struct IngestFlags {
  CommonFlags common;
  std::filesystem::path spool;
};

int ingest_spool(const IngestFlags& flags) {
  store::Store store(flags.common.store_path());
  const std::filesystem::path spool = flags.spool.empty() ? flags.common.store_path() / "spool" : flags.spool;
  const store::IngestReport report = store::ingest_all(store, std::filesystem::absolute(spool));
  base::Json problems = base::Json::array(), crashed = base::Json::array();
  for (const auto& problem : report.problems) {
    talk(flags.common, fmt::format("left in the spool: {}: {}", problem.file.string(), problem.message));
    problems.push_back({{"file", problem.file.string()}, {"message", problem.message}});
  }
  for (const auto& run : report.crashed) {
    talk(flags.common, fmt::format("run {} crashed ({})", base::short_id(run.run_id), run.proof));
    crashed.push_back({{"run", run.run_id}, {"proof", run.proof}});
  }
  if (flags.common.json) {
    write_json({{"schema", "diopter.ingest/1"},
                {"segments", report.segments},
                {"duplicates", report.duplicates},
                {"records", report.records},
                {"rejected", report.rejected},
                {"problems", problems},
                {"crashed", crashed}});
  } else {
    write_stdout(fmt::format("{} segments with {} records taken, {} were there already, {} records rejected\n",
                             report.segments, report.records, report.duplicates, report.rejected));
  }
  return static_cast<int>(report.exit());
}

}  // namespace

void add_ingest(CLI::App& app, Action& action) {
  auto flags = std::make_shared<IngestFlags>();
  CLI::App* verb = app.add_subcommand("ingest", "Take into the store what earlier processes left in the spool");
  flags->common.add_to(*verb);
  verb->add_option("spool", flags->spool, "The spool (default: STORE/spool)")->type_name("DIR");
  verb->callback([flags, &action] { action = [flags] { return ingest_spool(*flags); }; });
}

}  // namespace diopter::cli
