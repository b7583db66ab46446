// diopter metrics: the numbers of a run in long format.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "store/reader.hpp"

namespace diopter::cli {
namespace {

using base::Json;

struct MetricsOptions {
  CommonFlags common;
  std::string run;
  std::vector<std::string> names;
  bool last = false;
  std::int64_t every = 1;
};

int metrics(const MetricsOptions& options) {
  const store::Reader reader(options.common.store_path());
  const std::string id = reader.resolve_run(options.run);
  const std::vector<store::MetricRow> found = reader.metrics(id, options.names);
  if (found.empty())
    throw base::UserError(base::Exit::NoMatch, "the run has no such metric", "diopter show " + options.run);
  Rows rows{{{"name", ""}, {"step", "", true}, {"value", "", true}, {"stderr", "", true}}, {}};
  std::int64_t total = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool ends = i + 1 == found.size() || found[i + 1].name != found[i].name;
    if (options.last ? !ends : !ends && found[i].step % options.every != 0) continue;
    total += 1;
    if (options.common.limit > 0 && std::ssize(rows.cells) >= options.common.limit) continue;
    rows.cells.push_back(
        {found[i].name, found[i].step, found[i].value, found[i].stderr_ ? Json(*found[i].stderr_) : Json(nullptr)});
  }
  write_rows(options.common, "diopter.metrics/1", rows, total, {{"run", id}});
  return 0;
}

}  // namespace

void add_metrics(CLI::App& app, Action& action) {
  auto options = std::make_shared<MetricsOptions>();
  CLI::App* verb = app.add_subcommand("metrics", "List the metrics of a run: name, step, value, standard error");
  options->common.add_to(*verb);
  options->common.add_limit_to(*verb);
  verb->add_option("run", options->run, "An id or its end, or @1 for the newest")->type_name("RUN")->required();
  verb->add_option("names", options->names, "Only these")->type_name("NAME");
  verb->add_flag("--last", options->last, "Only the last step of each");
  verb->add_option("--every", options->every, "Only every Nth step, and the last")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  verb->callback([options, &action] { action = [options] { return metrics(*options); }; });
}

}  // namespace diopter::cli
