// diopter status: how far a batch is.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "base/clock.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "store/reader.hpp"

namespace diopter::cli {
namespace {

using base::Json;

struct StatusOptions {
  CommonFlags common;
  std::string batch;
  bool missing = false;
};

bool done(const std::string& state) { return state == "succeeded" || state == "cached"; }

int list_batches(const StatusOptions& options, const store::Reader& reader) {
  Rows rows{{{"name", "NAME"},
             {"id", "ID", false, true},
             {"created", "WHEN"},
             {"planned", "PLANNED", true},
             {"done", "DONE", true},
             {"executor", "EXECUTOR"}},
            {}};
  const std::vector<store::BatchRow> batches = reader.batches(0);
  const bool for_people = options.common.format() == Format::Table && !options.common.utc;
  for (const store::BatchRow& batch : batches) {
    if (options.common.limit > 0 && std::ssize(rows.cells) >= options.common.limit) break;
    std::int64_t finished = 0;
    for (const store::ItemRow& item : reader.items(batch.id)) finished += done(item.state);
    rows.cells.push_back(
        {batch.name, batch.id,
         for_people ? base::local_short(batch.created_at_us, base::now_us()) : base::iso8601(batch.created_at_us),
         batch.planned, finished, batch.executor});
  }
  write_rows(options.common, "diopter.batches/1", rows, std::ssize(batches));
  return 0;
}

int status(const StatusOptions& options) {
  const store::Reader reader(options.common.store_path());
  if (options.batch.empty()) return list_batches(options, reader);
  const store::BatchRow batch = reader.batch(options.batch);
  Rows rows;
  std::int64_t open = 0;
  if (options.missing) {
    rows.columns = {{"item", "ITEM", true},     {"entry", "ENTRY"}, {"name", "NAME"},
                    {"kind", "KIND"},           {"state", "STATE"}, {"attempts", "ATTEMPTS", true},
                    {"run", "RUN", false, true}};
    for (const store::ItemRow& item : reader.items(batch.id)) {
      if (done(item.state)) continue;
      open += 1;
      if (options.common.limit > 0 && open > options.common.limit) continue;
      rows.cells.push_back({item.item, item.entry, item.name, item.kind, item.state, item.attempts,
                            item.run_id ? Json(*item.run_id) : Json(nullptr)});
    }
    write_rows(options.common, "diopter.status_missing/1", rows, open, {{"batch", batch.name}, {"batch_id", batch.id}});
    if (open == 0) talk(options.common, "nothing is missing");
    return 0;
  }
  rows.columns = {{"state", "STATE"}, {"items", "ITEMS", true}};
  std::map<std::string, std::int64_t> counts;
  for (const store::ItemRow& item : reader.items(batch.id)) {
    counts[item.state] += 1;
    open += !done(item.state);
  }
  for (const auto& [state, count] : counts) rows.cells.push_back({state, count});
  write_rows(options.common, "diopter.status/1", rows, std::ssize(rows.cells),
             {{"batch", batch.name}, {"batch_id", batch.id}, {"planned", batch.planned}, {"open", open}});
  talk(options.common, open ? fmt::format("{} of {} items are not done; --missing lists them", open, batch.planned)
                            : fmt::format("all {} items are done", batch.planned));
  return 0;
}

}  // namespace

void add_status(CLI::App& app, Action& action) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* verb = app.add_subcommand("status", "How far a batch is; without a name: all batches");
  options->common.add_to(*verb);
  options->common.add_limit_to(*verb);
  verb->add_option("batch", options->batch, "Its name (the newest of that name) or id")->type_name("BATCH");
  verb->add_flag("--missing", options->missing, "List the items that are not done");
  verb->callback([options, &action] { action = [options] { return status(*options); }; });
}

}  // namespace diopter::cli
