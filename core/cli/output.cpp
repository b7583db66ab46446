#include "cli/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/files.hpp"

namespace diopter::cli {

using base::Json;

void CommonFlags::add_to(CLI::App& verb) {
  verb.add_option("--store", store, "Directory of the run store (else DIOPTER_STORE, else ./runs)")->type_name("DIR");
  auto* form = verb.add_option_group("form");
  form->add_flag("--json", json, "One JSON document");
  form->add_flag("--jsonl", jsonl, "One JSON object per line");
  form->add_flag("--csv", csv, "Comma-separated");
  form->add_flag("--md", md, "A Markdown table");
  form->require_option(0, 1);
  verb.add_flag("--no-header", no_header, "No line of column names");
  verb.add_flag("--utc", utc, "Times in UTC on a terminal too");
  verb.add_option("--color", color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
  verb.add_flag("-q,--quiet", quiet, "No remarks on stderr");
  verb.add_flag("-v,--verbose", verbose, "More of them");
}

void CommonFlags::add_limit_to(CLI::App& verb) {
  verb.add_option("--limit", limit, "At most this many rows (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N")
      ->capture_default_str();
}

Format CommonFlags::format() const {
  if (json) return Format::Json;
  if (jsonl) return Format::Jsonl;
  if (csv) return Format::Csv;
  if (md) return Format::Markdown;
  return base::is_terminal(STDOUT_FILENO) ? Format::Table : Format::Tsv;
}

bool CommonFlags::colour() const { return base::use_colour(*base::colour_choice(color), STDOUT_FILENO); }

std::filesystem::path CommonFlags::store_path() const {
  if (!store.empty()) return store;
  const char* named = std::getenv("DIOPTER_STORE");
  return named && *named ? named : "runs";
}

void write_stdout(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) {  // SIGPIPE was ignored by our parent: end as it would have ended us
      std::signal(SIGPIPE, SIG_DFL);
      std::raise(SIGPIPE);
    }
    if (written < 0) throw base::UserError(base::Exit::Failed, "cannot write the output: " + base::errno_text(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void talk(const CommonFlags& flags, const std::string& line) {
  if (!flags.quiet) fmt::print(stderr, "{}\n", line);
}

std::string with_thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

void write_rows(const CommonFlags& flags, const char* schema, const Rows& rows, std::int64_t total, const Json& extra) {
  const bool header = !flags.no_header;
  switch (flags.format()) {
    case Format::Json: {
      Json document = extra;
      document["schema"] = schema;
      document["total"] = total;
      document["rows"] = json_rows(rows);
      write_stdout(base::plain_json(document) + "\n");
      break;
    }
    case Format::Jsonl: {
      std::string out;
      for (const Json& row : json_rows(rows)) out += base::plain_json(row) + "\n";
      write_stdout(out);
      break;
    }
    case Format::Csv: write_stdout(csv(rows, header)); break;
    case Format::Markdown: write_stdout(markdown(rows, header)); break;
    case Format::Tsv: write_stdout(tsv(rows, header)); break;
    case Format::Table:
      if (!rows.cells.empty()) write_stdout(aligned_table(rows, header, base::terminal_width(STDOUT_FILENO)));
      break;
  }
  const auto shown = static_cast<std::int64_t>(rows.cells.size());
  if (shown < total)
    talk(flags, fmt::format("{} of {} shown; --limit 0 for all", with_thousands(shown), with_thousands(total)));
}

void write_json(const Json& document) {
  write_stdout(base::plain_json(document, base::is_terminal(STDOUT_FILENO) ? 2 : -1) + "\n");
}

int report_error(const std::exception& error, bool json) {
  const auto* user = dynamic_cast<const base::UserError*>(&error);
  const int code = user ? static_cast<int>(user->exit()) : static_cast<int>(base::Exit::Internal);
  fmt::print(stderr, "error: {}\n", error.what());
  if (user && !user->help().empty()) fmt::print(stderr, "help: {}\n", user->help());
  if (json) {
    const Json line = {{"schema", "diopter.error/1"},
                       {"error", error.what()},
                       {"help", user ? user->help() : ""},
                       {"id", user ? user->id() : "internal"},
                       {"exit", code}};
    fmt::print(stderr, "{}\n", line.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return code;
}

bool asks_for_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") return false;
    if (word == "--json" || word == "--jsonl") return true;
  }
  return false;
}

}  // namespace diopter::cli
