#include "host/entry_rules.hpp"

#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "base/hints.hpp"
#include "base/utf8.hpp"
#include "diopter/table_rules.hpp"
#include "study/kind_table.hpp"
#include "study/validator.hpp"

namespace diopter::host {
namespace {

constexpr std::uint32_t kKnownNeeds = DIOPTER_NEEDS_GRAD | DIOPTER_NEEDS_PAIRS | DIOPTER_NEEDS_ANSWERS |
                                      DIOPTER_NEEDS_GENERATION | DIOPTER_NEEDS_TOKENIZER | DIOPTER_NEEDS_WEIGHTS |
                                      DIOPTER_NEEDS_TRAINING | DIOPTER_NEEDS_EDITS;

std::string of_kind(const About& about) { return " of kind " + base::quoted(about.kind); }

// The validator's text begins with the value: "0, which is outside [1, 100]".
std::string complaint(const char* what, std::string_view problem) {
  if (problem.starts_with("is ")) problem.remove_prefix(3);
  return "has " + std::string(what) + " " + std::string(problem);
}

void check_toml(const diopter_param& row, const char* what, const char* code, const char* toml, const About& about) {
  if (toml == nullptr) return;
  const std::vector<std::string> problems = study::validate_toml_text(row, toml);
  if (problems.empty()) return;
  refuse_entry(code,
               "parameter " + base::quoted(row.name) + of_kind(about) + " " + complaint(what, problems.front()) +
                   "; correct its row.",
               about);
}

void check_param(const diopter_param& row, const About& about) {
  const std::string subject = "parameter " + base::quoted(base::printable(row.name)) + of_kind(about);
  if (!rules::is_name(row.name)) refuse_entry("name", subject + " is not named [a-z][a-z0-9_]*; rename it.", about);
  if (is_reserved_run_key(row.name)) {
    refuse_entry("reserved_name", subject + " has the name of a key of [[run]]; rename it.", about);
  }
  if (row.type < DIOPTER_INT || row.type > DIOPTER_METRIC_LIST) {
    refuse_entry("type",
                 subject + " has type " + std::to_string(row.type) + ", which this host does not know; build it again.",
                 about);
  }
  if (row.fallback == nullptr && row.example == nullptr) {
    refuse_entry("no_example", subject + " has neither a default nor an example; give one.", about);
  }
  if (!(row.min <= row.max))
    refuse_entry("limits", subject + " has a minimum above its maximum; correct its row.", about);
  check_toml(row, "default", "bad_default", row.fallback, about);
  check_toml(row, "example", "bad_example", row.example, about);
}

void check_output(const diopter_output& row, const About& about) {
  const std::string subject = "output " + base::quoted(base::printable(row.name)) + of_kind(about);
  if (!rules::is_name(row.name)) refuse_entry("name", subject + " is not named [a-z][a-z0-9_]*; rename it.", about);
  if (row.type < DIOPTER_METRIC || row.type > DIOPTER_DATASET) {
    refuse_entry("type",
                 subject + " has type " + std::to_string(row.type) + ", which this host does not know; build it again.",
                 about);
  }
  if (!rules::are_dims(row.dims))
    refuse_entry("dims", subject + " has dims " + base::quoted(base::printable(row.dims)) + "; correct its row.",
                 about);
  if (row.type == DIOPTER_TABLE && !rules::are_columns(row.columns, row.dims)) {
    refuse_entry("columns",
                 subject + " has columns " + base::quoted(base::printable(row.columns)) + "; correct its row.", about);
  }
}

template <class Row>
void check_distinct(const std::vector<Row>& rows, const char* code, const char* what, const About& about) {
  std::set<std::string_view> seen;
  for (const Row& row : rows) {
    if (!seen.insert(row.name).second) {
      refuse_entry(
          code, "two " + std::string(what) + of_kind(about) + " are called " + base::quoted(row.name) + "; rename one.",
          about);
    }
  }
}

void check_text(const char* text, const std::string& whose, const char* what, bool required, const About& about) {
  if (text == nullptr)
    refuse_entry(("null_" + std::string(what)).c_str(), whose + " has no " + what + "; build it again.", about);
  if (base::invalid_utf8_offset(text))
    refuse_entry("utf8", whose + " has a " + what + " that is not UTF-8; correct it.", about);
  if (required && *text == '\0') refuse_entry("empty", whose + " has an empty " + what + "; write one.", about);
}

void check_array(const void* rows, std::uint32_t count, std::uint32_t size, std::size_t smallest, const char* what,
                 const std::string& kind, const About& about) {
  if (count > 0 && rows == nullptr) {
    refuse_entry("null_array",
                 kind + " counts " + std::to_string(count) + " " + what + " but has none; build it again.", about);
  }
  if (count > 0 && size < smallest) {
    refuse_entry("small",
                 "the " + std::string(what) + " of " + kind + " are " + std::to_string(size) +
                     " bytes where at least " + std::to_string(smallest) + " are needed; build it again.",
                 about);
  }
}

}  // namespace

void refuse_entry(const char* code, const std::string& rest, const About& about) {
  throw PluginError(Stage::Entry, code, about.file.string() + ": " + rest, about);
}

void check_kind_pointers(const diopter_kind& kind, const About& about) {
  check_text(kind.name, "a kind", "name", true, about);
  const std::string subject = "kind " + base::quoted(base::printable(kind.name));
  check_text(kind.summary, subject, "summary", true, about);
  check_text(kind.doc, subject, "doc", false, about);
  if (!kind.create || !kind.run || !kind.destroy) {
    refuse_entry("null_function", subject + " lacks one of create, run and destroy; build it again.", about);
  }
  check_array(kind.params, kind.param_count, kind.param_size, sizeof(diopter_param), "parameters", subject, about);
  check_array(kind.outputs, kind.output_count, kind.output_size, sizeof(diopter_output), "outputs", subject, about);
  check_array(kind.hooks, kind.hook_count, kind.hook_size, sizeof(diopter_hook), "hooks", subject, about);

  for (const diopter_param& row : study::params_of(kind)) {
    check_text(row.name, "a parameter of " + subject, "name", true, about);
    const std::string whose = "parameter " + base::quoted(base::printable(row.name)) + " of " + subject;
    check_text(row.doc, whose, "doc", true, about);
    check_text(row.unit, whose, "unit", false, about);
    check_text(row.choices, whose, "choices", false, about);
    check_text(row.index_of, whose, "index_of", false, about);
  }
  for (const diopter_output& row : study::outputs_of(kind)) {
    check_text(row.name, "an output of " + subject, "name", true, about);
    const std::string whose = "output " + base::quoted(base::printable(row.name)) + " of " + subject;
    check_text(row.doc, whose, "doc", true, about);
    check_text(row.unit, whose, "unit", false, about);
    check_text(row.dims, whose, "dims", false, about);
    check_text(row.columns, whose, "columns", false, about);
    check_text(row.better, whose, "better", false, about);
  }
  for (const diopter_hook& row : study::hooks_of(kind)) {
    check_text(row.pattern, "a hook row of " + subject, "pattern", true, about);
    check_text(row.doc, "hook row " + base::quoted(base::printable(row.pattern)) + " of " + subject, "doc", true,
               about);
  }
}

void check_kind_rules(const diopter_kind& kind, const About& about) {
  if (!rules::is_name(kind.name)) {
    refuse_entry("name",
                 "kind " + base::quoted(base::printable(kind.name)) + " is not named [a-z][a-z0-9_]*; rename it.",
                 about);
  }
  if ((kind.needs & ~kKnownNeeds) != 0) {
    refuse_entry("needs",
                 "kind " + base::quoted(about.kind) + " needs something this host does not know (bits " +
                     std::to_string(kind.needs & ~kKnownNeeds) + "); build it again.",
                 about);
  }
  const auto params = study::params_of(kind);
  const auto outputs = study::outputs_of(kind);
  for (const diopter_param& row : params) check_param(row, about);
  for (const diopter_output& row : outputs) check_output(row, about);
  check_distinct(params, "duplicate_param", "parameters", about);
  check_distinct(outputs, "duplicate_output", "outputs", about);
}

}  // namespace diopter::host
