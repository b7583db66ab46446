#include "host/log_assembler.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "host/logged_figure.hpp"
#include "study/kind_table.hpp"

namespace diopter::host {
namespace fs = std::filesystem;
namespace {

const char* type_name(std::uint32_t type) {
  constexpr const char* names[] = {"?", "metric", "tensor", "table", "figure", "text", "file", "model", "dataset"};
  return names[type <= DIOPTER_DATASET ? type : 0];
}

}  // namespace

LogAssembler::LogAssembler(Monitor& monitor, RecordSink& sink, PieceFacts facts, fs::path scratch)
    : monitor_(monitor),
      sink_(sink),
      facts_(std::move(facts)),
      scratch_(std::move(scratch)),
      outputs_(study::outputs_of(*monitor.kind().kind)) {}

const diopter_output& LogAssembler::declared(Text name, std::uint32_t type) {
  monitor_.check_thread("Log");
  const std::string subject = "kind " + base::quoted(monitor_.kind().name()) + " wrote " + type_name(type) + " " +
                              base::quoted(base::printable(name));
  std::vector<std::string> names;
  for (const diopter_output& row : outputs_) {
    if (row.name == name && row.type == type) return row;
    if (row.name == name) {
      monitor_.refuse("undeclared_output",
                      subject + ", which its table declares as a " + type_name(row.type) + "; correct one of them.");
    }
    if (row.type == type) names.emplace_back(row.name);
  }
  monitor_.refuse("undeclared_output", subject + ", which its table does not declare" +
                                           base::did_you_mean(name, names) + "; add " + type_name(type) + "(\"" +
                                           base::printable(name) + "\", ...).");
}

void LogAssembler::once(const diopter_output& row) {
  if (written_.insert(row.name).second) return;
  monitor_.refuse("written_twice", "kind " + base::quoted(monitor_.kind().name()) + " wrote " + type_name(row.type) +
                                       " " + base::quoted(row.name) + " twice; write it once.");
}

void LogAssembler::metric(Text name, double value, Index step, double standard_error) {
  const diopter_output& row = declared(name, DIOPTER_METRIC);
  if (!metric_steps_.emplace(row.name, step).second) {
    monitor_.refuse("written_twice", "kind " + base::quoted(monitor_.kind().name()) + " wrote metric " +
                                         base::quoted(row.name) + " twice" +
                                         (step == kUnset ? std::string() : " at step " + std::to_string(step)) +
                                         "; give each value its own step.");
  }
  written_.insert(row.name);
  const auto at_step = step == kUnset ? std::nullopt : std::optional<std::int64_t>(step);
  const auto error = std::isnan(standard_error) ? std::nullopt : std::optional<double>(standard_error);
  deliver([&] { sink_.metric(row.name, value, at_step, error); });
}

void LogAssembler::tensor(Text name, const Tensor& value, const Labels& labels) {
  const diopter_output& row = declared(name, DIOPTER_TENSOR);
  auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    const std::string what = "tensor " + base::quoted(name) + " of kind " + base::quoted(monitor_.kind().name());
    found = tensors_.emplace(row.name, AssembledTensor(what, alternatives_of(row.dims))).first;
  }
  found->second.add(value, labels, facts_);
  written_.insert(row.name);
}

LoggedTable& LogAssembler::table_named(Text name) {
  const diopter_output& row = declared(name, DIOPTER_TABLE);
  const std::string what = "table " + base::quoted(name) + " of kind " + base::quoted(monitor_.kind().name());
  return tables_.try_emplace(row.name, what, row).first->second;
}

void LogAssembler::table(Text name, std::vector<Column> columns, const Labels& labels) {
  table_named(name).add(columns, labels, facts_);
  written_.insert(std::string(name));
}

void LogAssembler::row(Text table, std::vector<std::variant<Index, double, std::string>> cells) {
  table_named(table).add_row(std::move(cells));
  written_.insert(std::string(table));
}

// `output` is a tensor, a metric, a table or "table.column" that the kind declares.
void LogAssembler::check_drawn(Text figure, const char* key, Text output) {
  std::vector<std::string> known;
  for (const diopter_output& row : outputs_) {
    if (row.type > DIOPTER_TABLE && row.type != DIOPTER_TEXT) continue;
    known.emplace_back(row.name);
    if (row.type != DIOPTER_TABLE) continue;
    for (const std::string& column : study::split_words(row.columns, ' ')) {
      known.push_back(std::string(row.name) + "." + column.substr(0, column.find(':')));
    }
  }
  if (std::find(known.begin(), known.end(), output) != known.end()) return;
  monitor_.refuse("undeclared_output", "figure " + base::quoted(figure) + " of kind " +
                                           base::quoted(monitor_.kind().name()) + " has " + key + " = " +
                                           base::quoted(output) + ", which is none of its outputs" +
                                           base::did_you_mean(output, known) + "; name one.");
}

void LogAssembler::figure(Text name, const Figure& figure) {
  const diopter_output& row = declared(name, DIOPTER_FIGURE);
  const std::vector<std::string>& kinds = figure_kinds();
  if (!figure.as.empty() && std::find(kinds.begin(), kinds.end(), figure.as) == kinds.end()) {
    monitor_.refuse("figure_kind", "figure " + base::quoted(name) + " of kind " + base::quoted(monitor_.kind().name()) +
                                       " is drawn as " + base::quoted(figure.as) + ", which no report can" +
                                       base::did_you_mean(figure.as, kinds) + "; choose another.");
  }
  once(row);
  check_drawn(name, "of", figure.of);
  if (figure.text.find('.') != Text::npos) check_drawn(name, "text", figure.text);
  figures_.emplace_back(row.name, figure_json(figure));
}

void LogAssembler::text(Text name, Text markdown) {
  const diopter_output& row = declared(name, DIOPTER_TEXT);
  once(row);
  deliver([&] { sink_.text(row.name, base::escape_invalid_utf8(markdown)); });
}

void LogAssembler::model(Text name, const Trainable& made) {
  const diopter_output& row = declared(name, DIOPTER_MODEL);
  once(row);
  const fs::path directory = scratch_ / "outputs" / row.name;
  fs::remove_all(directory);  // of an earlier attempt
  fs::create_directories(directory);
  made.backend()->export_model(directory);
  deliver([&] { sink_.model(row.name, directory); });
}

void LogAssembler::dataset(Text name, const Prompts& rows, const Path& tokenizer) {
  const diopter_output& row = declared(name, DIOPTER_DATASET);
  once(row);
  if (!tokenizer.empty() && !fs::is_regular_file(tokenizer)) {
    throw Error("data set " + base::quoted(name) + " names the tokenizer " + tokenizer.string() +
                ", which is not a file");
  }
  deliver([&] { sink_.dataset(row.name, rows, tokenizer); });
}

void LogAssembler::file(Text name, const Path& made) {
  const diopter_output& row = declared(name, DIOPTER_FILE);
  const fs::path whole = fs::weakly_canonical(made.is_absolute() ? made : scratch_ / made);
  const fs::path inside = whole.lexically_relative(fs::weakly_canonical(scratch_));
  if (inside.empty() || *inside.begin() == ".." || !fs::is_regular_file(whole)) {
    throw Error("file " + base::quoted(name) + " is " + made.string() +
                ", which is not a file in the run's scratch folder; "
                "write it into ctx.scratch()");
  }
  once(row);
  deliver([&] { sink_.file(row.name, whole); });
}

bool LogAssembler::was_written(const std::string& output) const {
  return written_.count(output.substr(0, output.find('.'))) > 0;
}

bool LogAssembler::can_draw(const base::Json& figure) const { return was_written(figure.at("of").get<std::string>()); }

void LogAssembler::rethrow_sink_error() const {
  if (sink_error_) std::rethrow_exception(sink_error_);
}

void LogAssembler::finish() {
  const About about = monitor_.kind().about();
  for (const diopter_output& row : outputs_) {
    if (row.optional != 0 || written_.count(row.name) > 0) continue;
    throw PluginError(Stage::Finish, "missing_output",
                      "kind " + base::quoted(about.kind) + " finished without writing its " + type_name(row.type) +
                          " " + base::quoted(row.name) + "; write it or mark its row .optional = true.",
                      about);
  }
  try {
    for (const auto& [name, assembled] : tensors_) {
      const AssembledTensor::Whole whole = assembled.whole();
      sink_.tensor(name, whole.value, whole.dims);
    }
    for (const auto& [name, table] : tables_) table.emit(sink_);
  } catch (const Error& error) {
    throw PluginError(Stage::Finish, "incomplete", error.what(), about);
  }
  for (const auto& [name, figure] : figures_) {
    if (can_draw(figure)) sink_.figure(name, figure);
  }
}

}  // namespace diopter::host
