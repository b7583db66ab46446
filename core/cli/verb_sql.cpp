// diopter sql: read-only SQL over the views of the store.
#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include "base/files.hpp"
#include "cli/output.hpp"
#include "cli/time_words.hpp"
#include "cli/verbs.hpp"
#include "report/display.hpp"
#include "store/reader.hpp"

namespace diopter::cli {
namespace {

using base::Json;

struct SqlOptions {
  CommonFlags common;
  std::string query, file, timeout = "30s";
  std::vector<std::string> params;
};

Json cell_of(const store::Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<store::Blob>(&value)) return "base64:" + report::base64(blob->bytes);
  return nullptr;
}

// k=v: an integer, a real or a text, as it reads.
store::Value value_of(const std::string& text) {
  const Json parsed = Json::parse(text, nullptr, false);
  if (parsed.is_number_integer()) return parsed.get<std::int64_t>();
  if (parsed.is_number_float()) return parsed.get<double>();
  return text;
}

int sql(const SqlOptions& options) {
  if (options.query.empty() == options.file.empty())
    throw base::UserError(base::Exit::Usage, "give a query or --file FILE, one of them");
  store::SqlOptions with;
  with.timeout = std::chrono::milliseconds(parse_duration(options.timeout) / 1000);
  for (const std::string& param : options.params) {
    const std::size_t equal = param.find('=');
    if (equal == std::string::npos)
      throw base::UserError(base::Exit::Usage, "--params '" + param + "': expected name=value");
    with.params[param.substr(0, equal)] = value_of(param.substr(equal + 1));
  }
  const store::Reader reader(options.common.store_path());
  const store::SqlResult result =
      reader.sql(options.file.empty() ? options.query : base::read_file(options.file), with);
  Rows rows;
  for (std::size_t c = 0; c < result.columns.size(); ++c) {
    bool numeric = !result.rows.empty();
    for (const auto& row : result.rows) numeric = numeric && row[c].index() <= 2;
    rows.columns.push_back({result.columns[c], "", numeric});
  }
  for (const auto& row : result.rows) {
    rows.cells.emplace_back();
    for (const store::Value& value : row) rows.cells.back().push_back(cell_of(value));
  }
  write_rows(options.common, "diopter.sql/1", rows, std::ssize(rows.cells));
  return 0;
}

}  // namespace

void add_sql(CLI::App& app, Action& action) {
  auto options = std::make_shared<SqlOptions>();
  CLI::App* verb =
      app.add_subcommand("sql", "Ask the store in SQL, read-only (views: v_run, v_metric, v_long, v_tensor ...)");
  options->common.add_to(*verb);
  verb->add_option("query", options->query, "One statement")->type_name("QUERY");
  verb->add_option("--file", options->file, "Read it from a file")->type_name("FILE");
  verb->add_option("--timeout", options->timeout, "Give up after this long")->type_name("T")->capture_default_str();
  verb->add_option("--params", options->params, "Values for :name in the query")->type_name("K=V");
  verb->callback([options, &action] { action = [options] { return sql(*options); }; });
}

}  // namespace diopter::cli
