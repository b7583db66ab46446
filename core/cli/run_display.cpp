#include "cli/run_display.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/ulid.hpp"
#include "base/utf8.hpp"
#include "cli/heatmap.hpp"
#include "cli/table.hpp"
#include "report/figure_spec.hpp"
#include "report/grid_from_store.hpp"
#include "store/reader.hpp"

namespace diopter::cli {
namespace {

std::string model_line(const ModelInfo& info) {
  return fmt::format("{} ({}, {} layers, {} heads, d_model {})", info.name, info.family, info.n_layers, info.n_heads,
                     info.d_model);
}

// Numbers without dimensions, and those whose dimensions have one entry: "clean_metric  logit_diff  6.76".
std::string scalar_lines(const store::Reader& reader, const store::RunDetail& run) {
  std::string out;
  for (const auto& metric : run.metrics) out += fmt::format("  {:<24} {}\n", metric.name, short_number(metric.value));
  for (const auto& tensor : run.tensors) {
    if (tensor.name.starts_with("prompts.")) continue;
    const auto grid = report::find_grid(reader, run, tensor.name);
    if (!grid || grid->cells() == 0 || grid->dims.size() > 1 ||
        (grid->dims.size() == 1 && grid->dims[0].labels.empty()))
      continue;
    for (std::size_t i = 0; i < grid->cells() && i < 8; ++i) {
      const std::string label = grid->dims.empty() ? "" : grid->dims[0].exact(i);
      out += fmt::format("  {:<24} {:<14} {}\n", tensor.name, label, fmt::format("{:.4g}", grid->values[i]));
    }
  }
  return out;
}

// The first rows of a table that the run declares as a figure.
std::string table_lines(const report::Table& table, const std::string& name) {
  constexpr std::size_t kMostRows = 12;
  Rows rows;
  for (const report::Column& column : table.columns)
    rows.columns.push_back({.name = column.name, .heading = column.name, .numeric = !column.is_text});
  const std::size_t all = table.columns.empty() ? 0 : table.columns.front().size();
  for (std::size_t row = 0; row < std::min(all, kMostRows); ++row) {
    auto& cells = rows.cells.emplace_back();
    for (const report::Column& column : table.columns)
      cells.push_back(column.is_text ? base::Json(column.texts[row]) : base::Json(column.numbers[row]));
  }
  std::string out = "\n  " + name + "\n", lines = aligned_table(rows, true, base::terminal_width(STDOUT_FILENO) - 2);
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    out += "  " + lines.substr(at, end - at) + "\n";
    at = end + 1;
  }
  if (all > kMostRows) out += fmt::format("  {} of {} rows; the others are in the report\n", kMostRows, all);
  return out;
}

std::string doc_of(const store::RunDetail& run, const std::string& output) {
  for (const auto& declared : run.declared) {
    if (declared.name == output && declared.doc) return *declared.doc;
  }
  return {};
}

}  // namespace

RunDisplay::RunDisplay(const CommonFlags& flags) : flags_(flags), colour_(flags.colour()), progress_(flags.quiet) {}

std::string RunDisplay::bold(const std::string& text) const { return colour_ ? "\x1b[1m" + text + "\x1b[0m" : text; }
std::string RunDisplay::dim(const std::string& text) const { return colour_ ? "\x1b[2m" + text + "\x1b[0m" : text; }

void RunDisplay::begin(const exec::CheckedStudy& study) {
  if (flags_.json || flags_.quiet) return;
  std::set<std::string> models;
  for (const auto& run : study.runs) {
    if (run.model) models.insert(model_line(run.model->info));
  }
  write_stdout(fmt::format("{}     {}{}\n", bold("run"), study.study.file,
                           models.empty() ? "" : fmt::format(" on {}", fmt::join(models, ", "))));
  if (!study.study.experiment.about.empty()) write_stdout("        " + dim(study.study.experiment.about) + "\n");
  std::set<std::string> shown;
  for (const auto& run : study.runs) {
    const auto* set = run.run->prompts ? run.run->prompts->set.get() : nullptr;
    if (!set || !shown.insert(set->name).second) continue;
    const auto& row = set->rows.front();
    write_stdout("\n");
    for (const char* role : {"clean", "corrupted"}) {
      const std::string* text = row.text(role);
      const char* shown_role = set->has_column("corrupted") ? role : "text";
      if (text) write_stdout(fmt::format("  {:<10} \"{}\"\n", shown_role, base::printable(*text)));
    }
    for (const char* role : {"answer", "foil"}) {
      const auto choices = row.choices(role);
      if (!choices.empty())
        write_stdout(
            fmt::format("  {:<10} \"{}\"\n", role, base::printable(fmt::format("{}", fmt::join(choices, "\" or \"")))));
    }
    if (set->rows.size() > 1)
      write_stdout(dim(fmt::format("  ... {} rows of prompts '{}'\n", set->rows.size(), set->name)));
  }
}

void RunDisplay::start(const exec::CheckedRun& run, std::size_t index, std::size_t of) {
  if (of > 1) progress_.update(fmt::format("{} ({} of {})", run.run->id, index + 1, of), 0, 1);
}

void RunDisplay::progress(const std::string& what, std::int64_t done, std::int64_t total, const std::string& extra) {
  progress_.update(what, done, total, extra);
}

void RunDisplay::finish(const exec::CheckedRun& run, const exec::ItemReport& item) {
  progress_.finish();
  if (flags_.json) return;
  const std::string head = fmt::format("  {}   {}", bold(item.entry), run.kind.kind->name);
  if (item.cached) {
    talk(flags_, fmt::format("{}   stored already as run {}", head, base::short_id(item.run_id)));
  } else if (item.outcome.status == exec::RunStatus::Succeeded) {
    if (!flags_.quiet) write_stdout(fmt::format("\n{}   {}\n", head, base::duration_text(item.outcome.seconds)));
  } else {
    fmt::print(stderr, "{}   {}: {}\n", head, item.outcome.status == exec::RunStatus::Cancelled ? "stopped" : "failed",
               item.outcome.message);
  }
  for (const auto& warning : item.outcome.warnings)
    fmt::print(stderr, "warning: {}: {}   [{}]\n", item.entry, warning.sentence, warning.guard);
  if (!flags_.quiet && (item.cached || item.outcome.status == exec::RunStatus::Succeeded)) show_results(item.run_id);
}

void RunDisplay::show_results(const std::string& run_id) {
  const store::Reader reader(flags_.store_path());
  const store::RunDetail run = reader.run(run_id);
  for (const auto& event : run.events) {
    if (event.kind == "sweep") write_stdout(dim(fmt::format("  {}\n", event.message.value_or(""))));
  }
  std::string text = scalar_lines(reader, run);
  HeatmapOptions look{.colour = colour_,
                      .true_colour = base::true_colour(),
                      .utf8 = base::utf8_locale() || !colour_,
                      .width = base::terminal_width(STDOUT_FILENO)};
  for (const auto& output : run.outputs) {
    if (output.type != "figure" || output.doc.is_null()) continue;
    const report::FigureSpec spec = report::parse_figure_spec(output.doc);
    if (spec.as == "table") {
      if (const auto table = report::find_table(reader, run, spec.of)) text += table_lines(*table, spec.of);
      continue;
    }
    const auto grid = report::find_grid(reader, run, spec.of);
    if (spec.as != "heatmap" || !grid || grid->dims.size() < 2) continue;
    look.first_row_last = spec.origin == "lower";
    HeatmapData map = heatmap_of(*grid, {.row_dim = spec.y, .column_dim = spec.x, .at = {}},
                                 fmt::format("{} - {}", spec.of, doc_of(run, spec.of)));
    if (spec.centre) map.centre = spec.centre;
    text += "\n" + draw_heatmap(map, look);
  }
  write_stdout(text);
}

void RunDisplay::end(const exec::StudyReport& report) {
  progress_.finish();
  const std::string database = (flags_.store_path() / "runs.db").string();
  for (const auto& trouble : report.troubles) fmt::print(stderr, "warning: {}\n", trouble);
  for (const auto& outcome : report.expectations) {
    if (outcome.status == study::Outcome::Status::Held) talk(flags_, "expect  " + outcome.sentence);
    else if (outcome.status != study::Outcome::Status::NotAsked) fmt::print(stderr, "missed: {}\n", outcome.sentence);
  }
  if (report.left > 0) {
    fmt::print(stderr, "stopped: {} of {} runs are stored, {} to do; the same command goes on from there\n",
               report.items.size(), report.items.size() + report.left, report.left);
  }
  if (flags_.json || flags_.quiet) return;
  write_stdout("\n");
  for (const auto& item : report.items) {
    write_stdout(fmt::format("{}  run {} in {}{}\n", bold("stored"), base::short_id(item.run_id), database,
                             dim(fmt::format("          diopter show {}", base::short_id(item.run_id)))));
  }
  for (const auto& page : report.reports)
    write_stdout(fmt::format("{}  {}{}\n", bold("report"), page.string(), dim("          open it in a browser")));
}

}  // namespace diopter::cli
