// What every verb shares: its common flags, where the store is, how results and errors are written.
// stdout is data, stderr is talk.
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/terminal.hpp"
#include "cli/table.hpp"

namespace CLI {
class App;
}

namespace diopter::cli {

enum class Format { Table, Tsv, Json, Jsonl, Csv, Markdown };

struct CommonFlags {
  std::string store;  // --store, else DIOPTER_STORE, else ./runs
  bool json = false, jsonl = false, csv = false, md = false, no_header = false, quiet = false, utc = false;
  int verbose = 0;
  std::string color = "auto";
  std::int64_t limit = 20;

  void add_to(CLI::App& verb);        // --store --json --jsonl --csv --md --no-header --color --utc -q -v
  void add_limit_to(CLI::App& verb);  // --limit
  Format format() const;              // a table on a terminal, else tab-separated
  bool colour() const;                // of stdout
  std::filesystem::path store_path() const;
};

// The whole of `text`, at once. A closed pipe ends the process silently (141); any other failure is a UserError.
void write_stdout(std::string_view text);
void talk(const CommonFlags& flags, const std::string& line);  // to stderr, unless -q

// Rows in the chosen form. JSON: {"schema","total","rows", ...extra}. When rows are left out, stderr says
// "20 of 1,234 shown; --limit 0 for all".
void write_rows(const CommonFlags& flags, const char* schema, const Rows& rows, std::int64_t total,
                const base::Json& extra = base::Json::object());
// One document: with --json; indented for people.
void write_json(const base::Json& document);

// "error: ...", "help: ..."; with JSON also one diopter.error/1 line. Returns the exit code.
int report_error(const std::exception& error, bool json);
bool asks_for_json(int argc, const char* const* argv);  // --json or --jsonl stands among the arguments

std::string with_thousands(std::int64_t number);  // 1,234

}  // namespace diopter::cli
