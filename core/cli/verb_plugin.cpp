// diopter plugin show KIND|FILE: a kind's whole table as a reference page, or as a [[run]] to start from.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.hpp"
#include "cli/host_verbs.hpp"
#include "cli/output.hpp"
#include "exec/kind_library.hpp"
#include "study/kind_table.hpp"
#include "study/kind_toml.hpp"

namespace diopter::cli {
namespace {

struct PluginFlags {
  CommonFlags common;
  std::string kind;
  bool toml = false;
  std::vector<std::filesystem::path> plugin_path;
};

std::string or_dash(const char* text) { return text && *text ? text : "-"; }

std::string param_line(const diopter_param& row) {
  std::string out = fmt::format("  {:<14} {}", row.name, study::param_type_name(row.type));
  if (row.choices && *row.choices) out += fmt::format(": {}", fmt::join(study::split_words(row.choices, '|'), ", "));
  out += row.fallback ? fmt::format("; default {}", row.fallback) : std::string("; required");
  if (row.unit && *row.unit) out += fmt::format("; {}", row.unit);
  return out + fmt::format("\n  {:<14} {}\n", "", row.doc);
}

const char* output_type(std::uint32_t type) {
  static constexpr const char* kNames[] = {"?",    "metric", "tensor", "table",   "figure",
                                           "text", "file",   "model",  "data set"};
  return type < std::size(kNames) ? kNames[type] : "?";
}

std::string output_line(const diopter_output& row) {
  std::string out = fmt::format("  {:<18} {}", row.name, output_type(row.type));
  if (row.dims && *row.dims) out += fmt::format(" [{}]", fmt::join(study::split_words(row.dims, '|'), "] or ["));
  if (row.columns && *row.columns) out += fmt::format(", columns {}", row.columns);
  if (row.unit && *row.unit) out += fmt::format(", {}", row.unit);
  if (row.optional) out += ", optional";
  return out + fmt::format("\n  {:<18} {}\n", "", row.doc);
}

std::string page(const host::LoadedKind& loaded) {
  const diopter_kind& kind = *loaded.kind;
  std::string out = fmt::format("{} (version {}) - {}\n{} {} in {}\n", kind.name, kind.version, kind.summary,
                                loaded.plugin->stamp.id, loaded.plugin->stamp.version, loaded.plugin->file.string());
  if (kind.doc && *kind.doc) out += fmt::format("\n{}\n", kind.doc);
  out += "\nparameters\n";
  for (const auto& row : study::params_of(kind)) out += param_line(row);
  out += "\noutputs\n";
  for (const auto& row : study::outputs_of(kind)) out += output_line(row);
  out += "\nhook points\n";
  for (const auto& row : study::hooks_of(kind)) {
    out += fmt::format("  {:<34} {}: {}\n", row.pattern, row.access & DIOPTER_EDIT ? "edits" : "observes", row.doc);
  }
  return out;
}

base::Json document_of(const host::LoadedKind& loaded) {
  const diopter_kind& kind = *loaded.kind;
  base::Json params = base::Json::array(), outputs = base::Json::array(), hooks = base::Json::array();
  for (const auto& row : study::params_of(kind)) {
    params.push_back({{"name", row.name},
                      {"type", study::param_type_name(row.type)},
                      {"doc", row.doc},
                      {"default", row.fallback ? base::Json(row.fallback) : base::Json()},
                      {"unit", or_dash(row.unit)},
                      {"choices", study::split_words(row.choices ? row.choices : "", '|')}});
  }
  for (const auto& row : study::outputs_of(kind)) {
    outputs.push_back({{"name", row.name},
                       {"type", output_type(row.type)},
                       {"dims", row.dims},
                       {"doc", row.doc},
                       {"optional", row.optional != 0}});
  }
  for (const auto& row : study::hooks_of(kind))
    hooks.push_back({{"pattern", row.pattern}, {"edits", (row.access & DIOPTER_EDIT) != 0}, {"doc", row.doc}});
  return {{"schema", "diopter.kind/1"},
          {"kind", kind.name},
          {"summary", kind.summary},
          {"version", kind.version},
          {"plugin", loaded.plugin->stamp.id},
          {"file", loaded.plugin->file.string()},
          {"params", params},
          {"outputs", outputs},
          {"hooks", hooks}};
}

int show(const PluginFlags& flags) {
  exec::KindLibrary library(flags.plugin_path);
  const bool is_file = flags.kind.ends_with(".so");
  const auto kinds = is_file ? library.of_file(flags.kind) : std::vector<host::LoadedKind>{library.open(flags.kind)};
  std::string text;
  base::Json documents = base::Json::array();
  for (const auto& kind : kinds) {
    text += (text.empty() ? "" : "\n") + (flags.toml ? study::run_toml(*kind.kind) : page(kind));
    documents.push_back(document_of(kind));
  }
  if (flags.common.format() == Format::Json) {
    write_json(documents.size() == 1 ? documents.front()
                                     : base::Json{{"schema", "diopter.kinds/1"}, {"kinds", documents}});
  } else {
    write_stdout(text);
  }
  return 0;
}

}  // namespace

void add_plugin(CLI::App& app, Action& action) {
  auto flags = std::make_shared<PluginFlags>();
  CLI::App* group = app.add_subcommand("plugin", "Plugins: list, show");
  group->require_subcommand(1);
  CLI::App* verb = group->add_subcommand("show", "The table of a kind as a reference page");
  verb->add_option("kind", flags->kind, "a kind (logit_lens, org.example.lens:logit_lens) or a plugin file")
      ->required();
  verb->add_flag("--toml", flags->toml, "a [[run]] that passes diopter check as it is");
  verb->add_option("--plugin-path", flags->plugin_path, "Look here first")->type_name("DIR");
  flags->common.add_to(*verb);
  verb->callback([flags, &action] { action = [flags] { return show(*flags); }; });
}

}  // namespace diopter::cli
