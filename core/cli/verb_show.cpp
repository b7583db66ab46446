// diopter show: one run, everything that is known about it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/hints.hpp"
#include "base/progress.hpp"
#include "base/utf8.hpp"
#include "cli/output.hpp"
#include "cli/run_json.hpp"
#include "cli/verbs.hpp"
#include "report/display.hpp"
#include "report/grid_from_store.hpp"
#include "report/provenance.hpp"
#include "store/reader.hpp"

namespace diopter::cli {
namespace {

using base::Json;
using store::RunDetail;

struct ShowOptions {
  CommonFlags common;
  std::string run, table, text;
  bool config = false, provenance = false, error = false, log = false;
};

std::string safe(const std::string& text) { return base::printable(base::escape_invalid_utf8(text), 100'000); }

void heading(std::string& out, const char* name) { out += fmt::format("\n{}\n", name); }

std::string indented(const Rows& rows, std::size_t width) {
  std::string out;
  for (const char c : aligned_table(rows, false, width > 4 ? width - 2 : width)) {
    if (out.empty() || out.back() == '\n') out += "  ";
    out += c;
  }
  return out;
}

std::string shape_text(const store::TensorRow& tensor) {
  std::string out;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const std::string name =
        tensor.dims.size() > i && tensor.dims[i].is_object() ? tensor.dims[i].value("name", "") : "";
    out += fmt::format("{}{}={}", i ? ", " : "", name, tensor.shape[i]);
  }
  return "[" + out + "]";
}

// For people; programs use --json.
std::string run_text(const RunDetail& run, std::size_t width, bool utc) {
  const store::RunRow& row = run.row;
  const auto time = [&](std::int64_t us) { return utc ? base::iso8601(us) : base::local_short(us, base::now_us()); };
  std::string out = fmt::format("run {}  {}  {}{}\n", row.short_id, row.kind, row.status,
                                row.seconds ? " in " + base::duration_text(*row.seconds) : "");
  Rows facts{{{"", ""}, {"", ""}}, {}};
  const auto fact = [&](const char* name, const std::string& value) {
    if (!value.empty()) facts.cells.push_back({name, value});
  };
  fact("id", row.id);
  fact("started", time(row.started_at_us));
  fact("batch", row.batch ? *row.batch + (row.entry ? "/" + *row.entry : "") : row.entry.value_or(""));
  fact("name", row.name.value_or(""));
  fact("model",
       row.model.value_or("") + (row.dtype ? "  " + *row.dtype : "") + (row.backend ? " on " + *row.backend : ""));
  fact("attempt", row.attempt > 1 ? std::to_string(row.attempt) : "");
  fact("note", row.note.value_or(""));
  for (const store::TagRow& tag : run.tags) fact("tag", tag.key + (tag.value.empty() ? "" : " = " + tag.value));
  if (row.error) fact("error", *row.error);
  out += indented(facts, width);
  const auto section = [&](const char* name, const Rows& rows) {
    if (rows.cells.empty()) return;
    heading(out, name);
    out += indented(rows, width);
  };
  Rows params{{{"", ""}, {"", ""}}, {}}, metrics{{{"", ""}, {"", "", true}, {"", ""}}, {}},
      tensors{{{"", ""}, {"", ""}, {"", ""}, {"", ""}}, {}}, others{{{"", ""}, {"", ""}}, {}},
      events{{{"", ""}, {"", ""}}, {}};
  for (const store::ParamRow& param : run.params) params.cells.push_back({param.key, cell_text(param.value)});
  for (const store::MetricRow& metric : run.metrics) {
    metrics.cells.push_back({metric.name, metric.value,
                             (metric.stderr_ ? "+- " + short_number(*metric.stderr_) : "") +
                                 (metric.step ? fmt::format("  at step {}", metric.step) : "")});
  }
  for (const store::TensorRow& tensor : run.tensors) {
    const std::string range = tensor.vmin && tensor.vmax ? fmt::format("{} to {}", report::three_digits(*tensor.vmin),
                                                                       report::three_digits(*tensor.vmax))
                                                         : "";
    tensors.cells.push_back({tensor.name, shape_text(tensor), tensor.dtype,
                             range + (tensor.nonfinite ? fmt::format(", {} not finite", tensor.nonfinite) : "")});
  }
  for (const store::OutputRow& output : run.outputs)
    others.cells.push_back({output.name, output.type + (output.path ? "  " + *output.path : "")});
  for (const store::ArtifactRow& file : run.artifacts)
    others.cells.push_back({file.name, fmt::format("{}, {} bytes", file.path, with_thousands(file.bytes))});
  for (const store::EventRow& event : run.events) {
    if (event.level != "debug")
      events.cells.push_back(
          {event.level, (event.kind.rfind("guard.", 0) == 0 ? "[" + event.kind.substr(6) + "] " : event.kind + ": ") +
                            event.message.value_or("")});
  }
  section("parameters", params);
  section("metrics", metrics);
  section("tensors", tensors);
  section("other outputs", others);
  section("events", events);
  return out;
}

// The manifest that made the run, as it was, with the command that repeats it.
std::string config_text(const RunDetail& run) {
  if (!run.provenance.manifest_source) {
    throw base::UserError(base::Exit::NoMatch, "run " + run.row.short_id + " was not made from a manifest",
                          "diopter show " + run.row.short_id + " --json has its parameters");
  }
  std::string out =
      fmt::format("# The manifest of run {}, {}.\n", run.row.id, run.provenance.manifest_path.value_or("as recorded"));
  if (run.row.entry)
    out += fmt::format("# Its entry: {}. Relative paths count from the folder of that file.\n",
                       base::quoted(*run.row.entry));
  if (run.provenance.overrides.is_array() && !run.provenance.overrides.empty()) {
    out += "# It was run with overrides:";
    for (const Json& one : run.provenance.overrides) out += " " + base::shell_quoted(cell_text(one));
    out += "\n";
  }
  return out + *run.provenance.manifest_source +
         (run.provenance.manifest_source->empty() || run.provenance.manifest_source->back() != '\n' ? "\n" : "");
}

std::string named_text(const RunDetail& run, const std::string& name) {
  std::vector<std::string> known;
  for (const store::OutputRow& output : run.outputs) {
    if (output.type != "text") continue;
    known.push_back(output.name);
    if (output.name != name) continue;
    if (output.doc.is_string()) return output.doc.get<std::string>() + "\n";
    for (const char* key : {"markdown", "text"}) {
      if (output.doc.is_object() && output.doc.contains(key)) return output.doc[key].get<std::string>() + "\n";
    }
  }
  throw base::UserError(base::Exit::NoMatch, "run " + run.row.short_id + " has no text " + base::quoted(name) +
                                                 base::did_you_mean(name, known));
}

void show_table(const store::Reader& reader, const RunDetail& run, const ShowOptions& options) {
  const std::optional<report::Table> table = report::find_table(reader, run, options.table);
  if (!table) {
    std::vector<std::string> known;
    for (const store::OutputRow& output : run.outputs) {
      if (output.type == "table") known.push_back(output.name);
    }
    throw base::UserError(base::Exit::NoMatch, "run " + run.row.short_id + " has no table " +
                                                   base::quoted(options.table) +
                                                   base::did_you_mean(options.table, known));
  }
  Rows rows;
  for (const report::Axis& axis : table->dims) rows.columns.push_back({axis.name, "", axis.labels.empty()});
  for (const report::Column& column : table->columns) rows.columns.push_back({column.name, "", !column.is_text});
  const std::size_t count = table->columns.empty() ? 0 : table->columns.front().size();
  const std::size_t shown =
      options.common.limit > 0 ? std::min(count, static_cast<std::size_t>(options.common.limit)) : count;
  for (std::size_t r = 0; r < shown; ++r) {
    std::vector<Json> line(table->dims.size());
    for (std::size_t d = table->dims.size(), left = r; d-- > 0; left /= table->dims[d].size) {
      const std::size_t index = left % table->dims[d].size;
      line[d] =
          table->dims[d].labels.empty() ? Json(index) : Json(base::escape_invalid_utf8(table->dims[d].labels[index]));
    }
    for (const report::Column& column : table->columns)
      line.push_back(column.is_text ? Json(base::escape_invalid_utf8(column.texts[r])) : Json(column.numbers[r]));
    rows.cells.push_back(std::move(line));
  }
  write_rows(options.common, "diopter.table/1", rows, static_cast<std::int64_t>(count),
             {{"run", run.row.id}, {"name", options.table}});
}

int show(const ShowOptions& options) {
  const store::Reader reader(options.common.store_path());
  const RunDetail run = reader.run(reader.resolve_run(options.run));
  const bool json = options.common.json || options.common.jsonl;
  if (!options.table.empty()) show_table(reader, run, options);
  else if (!options.text.empty()) write_stdout(named_text(run, options.text));
  else if (options.config) write_stdout(config_text(run));
  else if (options.error) {
    if (!run.row.error)
      throw base::UserError(base::Exit::NoMatch, "run " + run.row.short_id + " has no error; it " + run.row.status);
    write_stdout(safe(*run.row.error) + "\n" + (run.error_detail ? *run.error_detail + "\n" : ""));
  } else if (options.log) {
    for (const store::ArtifactRow& file : run.artifacts) {
      if (file.name == "log" || file.name == "log.txt") {
        write_stdout(base::read_file(reader.directory() / file.path));
        return 0;
      }
    }
    throw base::UserError(base::Exit::NoMatch, "run " + run.row.short_id + " has no log");
  } else if (options.provenance) {
    if (json) {
      write_json({{"schema", "diopter.provenance/1"}, {"run", run.row.id}, {"provenance", provenance_json(run)}});
    } else {
      Rows rows{{{"what", ""}, {"value", "", false, true}}, {}};
      for (const auto& [what, value] : report::provenance_lines({run})) rows.cells.push_back({what, value});
      write_rows(options.common, "diopter.provenance/1", rows, std::ssize(rows.cells));
    }
  } else if (json) {
    write_json(run_json(run));
  } else {
    write_stdout(run_text(run, base::is_terminal(1) ? base::terminal_width(1) : 10'000, options.common.utc));
  }
  return 0;
}

}  // namespace

void add_show(CLI::App& app, Action& action) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* verb = app.add_subcommand("show", "Show one run: parameters, metrics, outputs, provenance, events");
  options->common.add_to(*verb);
  options->common.add_limit_to(*verb);
  verb->add_option("run", options->run, "An id or its end, or @1 for the newest")->type_name("RUN")->required();
  auto* what = verb->add_option_group("what");
  what->add_flag("--config", options->config, "The manifest that repeats it");
  what->add_flag("--provenance", options->provenance, "Hashes, commit, plugins, machine");
  what->add_flag("--error", options->error, "Why it failed, with details");
  what->add_flag("--log", options->log, "What it wrote while running");
  what->add_option("--table", options->table, "One of its tables")->type_name("NAME");
  what->add_option("--text", options->text, "One of its texts")->type_name("NAME");
  what->require_option(0, 1);
  verb->callback([options, &action] { action = [options] { return show(*options); }; });
}

}  // namespace diopter::cli
