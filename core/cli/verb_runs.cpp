// diopter runs: what was run, newest first.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <set>

#include "base/clock.hpp"
#include "base/hints.hpp"
#include "cli/output.hpp"
#include "cli/time_words.hpp"
#include "cli/verbs.hpp"
#include "store/reader.hpp"

namespace diopter::cli {
namespace {

using base::Json;
using store::RunRow;

struct RunsOptions {
  CommonFlags common;
  std::vector<std::string> selectors, status, kinds, models, tags, columns, sort;
  std::string since, until, batch, search;
  bool all = false;
  std::int64_t offset = 0;
};

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

using Cell = std::function<Json(const RunRow&)>;
struct Known {
  Column column;
  Cell cell;
};

// Every column a listing can have, by its name in JSON.
std::vector<Known> known_columns(bool for_people, bool utc) {
  const std::int64_t now = base::now_us();
  const auto time = [=](std::int64_t us) {
    return for_people && !utc ? base::local_short(us, now) : base::iso8601(us);
  };
  return {
      {{"id", "ID", false, true}, [=](const RunRow& r) { return for_people ? r.short_id : r.id; }},
      {{"started", "WHEN"}, [=](const RunRow& r) { return time(r.started_at_us); }},
      {{"kind", "KIND"}, [](const RunRow& r) { return r.kind; }},
      {{"model", "MODEL"}, [](const RunRow& r) { return or_null(r.model); }},
      {{"batch", "EXPERIMENT"}, [](const RunRow& r) { return or_null(r.batch); }},
      {{"entry", "ENTRY"}, [](const RunRow& r) { return or_null(r.entry); }},
      {{"status", "STATUS"}, [](const RunRow& r) { return r.status; }},
      {{"seconds", "SECONDS", true}, [](const RunRow& r) { return or_null(r.seconds); }},
      {{"error", "ERROR"}, [](const RunRow& r) { return or_null(r.error); }},
      {{"short_id", "SHORT", false, true}, [](const RunRow& r) { return r.short_id; }},
      {{"name", "NAME"}, [](const RunRow& r) { return or_null(r.name); }},
      {{"note", "NOTE"}, [](const RunRow& r) { return or_null(r.note); }},
      {{"ended", "ENDED"}, [=](const RunRow& r) { return r.ended_at_us ? Json(time(*r.ended_at_us)) : Json(nullptr); }},
      {{"item", "ITEM", true}, [](const RunRow& r) { return or_null(r.item); }},
      {{"attempt", "ATTEMPT", true}, [](const RunRow& r) { return r.attempt; }},
      {{"seed", "SEED", true}, [](const RunRow& r) { return or_null(r.seed); }},
      {{"dtype", "DTYPE"}, [](const RunRow& r) { return or_null(r.dtype); }},
      {{"backend", "BACKEND"}, [](const RunRow& r) { return or_null(r.backend); }},
      {{"host", "HOST"}, [](const RunRow& r) { return or_null(r.host); }},
      {{"commit", "COMMIT"}, [](const RunRow& r) { return or_null(r.commit); }},
      {{"dirty", "DIRTY"}, [](const RunRow& r) { return or_null(r.dirty); }},
      {{"plugin", "PLUGIN"}, [](const RunRow& r) { return or_null(r.plugin); }},
      {{"plugin_version", "PLUGIN VERSION"}, [](const RunRow& r) { return or_null(r.plugin_version); }},
      {{"fingerprint", "FINGERPRINT", false, true}, [](const RunRow& r) { return r.fingerprint; }},
      {{"exit_code", "EXIT", true}, [](const RunRow& r) { return or_null(r.exit_code); }},
  };
}

Known metric_column(const std::string& name, const std::string& shown) {
  return {{shown, shown, true}, [name](const RunRow& r) -> Json {
            for (const store::MetricRow& metric : r.last_metrics) {
              if (metric.name == name) return metric.value;
            }
            return nullptr;
          }};
}

Known column_named(const std::string& name, const std::vector<Known>& known) {
  if (name.rfind("metric.", 0) == 0) return metric_column(name.substr(7), name);
  std::vector<std::string> names;
  for (const Known& one : known) {
    if (one.column.name == name) return one;
    names.push_back(one.column.name);
  }
  throw base::UserError(base::Exit::Usage, "no column " + base::quoted(name) + base::did_you_mean(name, names),
                        "columns are " + base::join(names) + ", and metric.NAME");
}

std::vector<Known> default_columns(const std::vector<Known>& known, const std::vector<RunRow>& rows) {
  std::vector<Known> columns;
  for (const char* name : {"id", "started", "kind", "model", "batch", "entry", "status", "seconds"})
    columns.push_back(column_named(name, known));
  std::set<std::string> metrics;
  for (const RunRow& row : rows) {
    for (const store::MetricRow& metric : row.last_metrics) metrics.insert(metric.name);
  }
  for (const std::string& name : metrics) columns.push_back(metric_column(name, name));
  columns.push_back(column_named("error", known));
  return columns;
}

// Absent values last, whatever the direction.
void sort_rows(std::vector<RunRow>& rows, const std::vector<std::string>& keys) {
  const std::vector<Known> known = known_columns(false, true);
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    const bool down = key->front() == '-';
    const Cell cell = column_named(down ? key->substr(1) : *key, known).cell;
    std::stable_sort(rows.begin(), rows.end(), [&](const RunRow& a, const RunRow& b) {
      const Json x = cell(a), y = cell(b);
      if (x.is_null() || y.is_null()) return !x.is_null() && y.is_null();
      return down ? y < x : x < y;
    });
  }
}

int list_runs(const RunsOptions& options) {
  const store::Reader reader(options.common.store_path());
  const std::int64_t now = base::now_us();
  store::RunQuery query;
  if (!options.since.empty()) query.since_us = parse_time(options.since, now);
  if (!options.until.empty()) query.until_us = parse_time(options.until, now);
  query.status = options.status;
  query.kind = options.kinds;
  query.model = options.models;
  if (!options.batch.empty()) query.batch = options.batch;
  if (!options.search.empty()) query.search = options.search;
  for (const std::string& tag : options.tags) {
    const std::size_t equal = tag.find('=');
    query.tags.push_back({tag.substr(0, equal), equal == std::string::npos ? "" : tag.substr(equal + 1)});
  }
  if (!options.selectors.empty()) {
    query.ids.emplace();
    for (const std::string& selector : options.selectors) {
      for (const std::string& id : reader.resolve(selector)) query.ids->push_back(id);
    }
  }
  query.all = options.all;
  query.limit = options.sort.empty() ? options.common.limit : 0;
  query.offset = options.sort.empty() ? options.offset : 0;
  store::RunList found = reader.runs(query);
  if (!options.sort.empty()) {
    sort_rows(found.rows, options.sort);
    found.rows.erase(found.rows.begin(),
                     found.rows.begin() + std::min<std::ptrdiff_t>(options.offset, std::ssize(found.rows)));
    if (options.common.limit > 0 && std::ssize(found.rows) > options.common.limit)
      found.rows.resize(static_cast<std::size_t>(options.common.limit));
  }
  const bool filtered = !options.selectors.empty() || !options.since.empty() || !options.until.empty() ||
                        !options.status.empty() || !options.kinds.empty() || !options.models.empty() ||
                        !options.batch.empty() || !options.search.empty() || !options.tags.empty();
  const bool for_people = options.common.format() == Format::Table;
  const std::vector<Known> known = known_columns(for_people, options.common.utc);
  std::vector<Known> columns;
  for (const std::string& name : options.columns) columns.push_back(column_named(name, known));
  if (columns.empty()) columns = default_columns(known, found.rows);
  Rows rows;
  for (const Known& one : columns) rows.columns.push_back(one.column);
  for (const RunRow& row : found.rows) {
    rows.cells.emplace_back();
    for (const Known& one : columns) rows.cells.back().push_back(one.cell(row));
  }
  write_rows(options.common, "diopter.runs/1", rows, found.total, {{"store", reader.directory().string()}});
  if (found.total == 0 && filtered) throw base::UserError(base::Exit::NoMatch, "no run matches");
  if (found.total == 0) talk(options.common, "no runs yet: diopter run MANIFEST");
  return 0;
}

}  // namespace

void add_runs(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunsOptions>();
  CLI::App* verb = app.add_subcommand("runs", "List runs, newest first");
  options->common.add_to(*verb);
  options->common.add_limit_to(*verb);
  verb->add_option("selectors", options->selectors, "Runs: an id, @1 (newest), batch:NAME, batch:NAME/ENTRY, fp:HEX")
      ->type_name("SEL");
  verb->add_option("--since", options->since, "Started after: 2d, 12h, 2026-11-20")->type_name("TIME");
  verb->add_option("--until", options->until, "Started before")->type_name("TIME");
  verb->add_option("--status", options->status, "running, succeeded, failed, cancelled, timeout, crashed, stale")
      ->delimiter(',')
      ->type_name("S")
      ->check(CLI::IsMember({"running", "succeeded", "failed", "cancelled", "timeout", "crashed", "stale"}));
  verb->add_option("--kind", options->kinds, "Of these kinds")->delimiter(',')->type_name("K");
  verb->add_option("--model", options->models, "Of these models")->delimiter(',')->type_name("M");
  verb->add_option("--tag", options->tags, "With this tag: key or key=value")->type_name("K[=V]");
  verb->add_option("--batch", options->batch, "Answering this batch, cached runs included")->type_name("NAME");
  verb->add_option("--search", options->search, "Words in name, note, tags, error or prompts")->type_name("TEXT");
  verb->add_option("--sort", options->sort, "By these columns; -COL downwards")->delimiter(',')->type_name("COL");
  verb->add_option("--columns", options->columns, "These columns; metric.NAME for a metric")
      ->delimiter(',')
      ->type_name("COL");
  verb->add_flag("--all", options->all, "Archived and deleted ones too");
  verb->add_option("--offset", options->offset, "Leave out the first N")->check(CLI::NonNegativeNumber)->type_name("N");
  verb->callback([options, &action] { action = [options] { return list_runs(*options); }; });
}

}  // namespace diopter::cli
