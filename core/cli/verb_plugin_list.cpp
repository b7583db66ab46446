// diopter plugin list: the plugins there are, from their stamps; none is opened.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "host/plugin_index.hpp"

namespace diopter::cli {
namespace {

struct PluginListOptions {
  CommonFlags common;
  std::vector<std::filesystem::path> plugin_path;
};

base::Json document_of(const host::PluginIndex& index) {
  base::Json plugins = base::Json::array(), refused = base::Json::array(), ignored = base::Json::array();
  for (const auto& plugin : index.plugins()) {
    base::Json kinds = base::Json::array();
    for (const auto& kind : plugin.stamp.kinds) kinds.push_back({{"name", kind.name}, {"summary", kind.summary}});
    plugins.push_back(
        {{"id", plugin.stamp.id}, {"version", plugin.stamp.version}, {"file", plugin.file.string()}, {"kinds", kinds}});
  }
  for (const auto& file : index.refused()) {
    refused.push_back({{"file", file.file.string()}, {"error", file.error.what()}, {"id", file.error.id()}});
  }
  for (const auto& file : index.ignored()) ignored.push_back({{"file", file.file.string()}, {"reason", file.ignored}});
  return {{"schema", "diopter.plugins/1"}, {"plugins", plugins}, {"refused", refused}, {"ignored", ignored}};
}

int list_plugins(const PluginListOptions& options) {
  const auto index = host::PluginIndex::scan(host::search_path(host::default_search(options.plugin_path)));
  if (options.common.format() == Format::Json) {
    write_json(document_of(index));
    return 0;
  }
  Rows rows{.columns = {{.name = "kind", .heading = "KIND", .whole = true},
                        {.name = "summary", .heading = "WHAT IT DOES", .whole = true},
                        {.name = "plugin", .heading = "PLUGIN"},
                        {.name = "version", .heading = "VERSION"},
                        {.name = "file", .heading = "FILE"}},
            .cells = {}};
  for (const auto& plugin : index.plugins()) {
    for (const auto& kind : plugin.stamp.kinds) {
      rows.cells.push_back({kind.name, kind.summary, plugin.stamp.id, plugin.stamp.version, plugin.file.string()});
    }
  }
  write_rows(options.common, "diopter.plugins/1", rows, std::ssize(rows.cells));
  for (const auto& file : index.refused()) talk(options.common, fmt::format("refused: {}", file.error.what()));
  for (const auto& file : index.ignored()) talk(options.common, fmt::format("ignored: {}", file.ignored));
  return 0;
}

}  // namespace

void add_plugin_list(CLI::App& app, Action& action) {
  auto options = std::make_shared<PluginListOptions>();
  CLI::App* group = app.add_subcommand("plugin", "Plugins: list, show");
  group->require_subcommand(1);
  CLI::App* verb = group->add_subcommand("list", "The kinds there are, and files that were refused, with the reason");
  options->common.add_to(*verb);
  verb->add_option("--plugin-path", options->plugin_path, "Look here first")->type_name("DIR");
  verb->callback([options, &action] { action = [options] { return list_plugins(*options); }; });
  group->add_subcommand("show", "The table of a kind as a reference page (--toml: a [[run]] to start from)");
}

}  // namespace diopter::cli
