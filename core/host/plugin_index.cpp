#include "host/plugin_index.hpp"

#include <algorithm>

#include "base/hints.hpp"
#include "base/utf8.hpp"

namespace diopter::host {
namespace {

bool offers(const std::vector<StampKind>& kinds, std::string_view name) {
  return std::any_of(kinds.begin(), kinds.end(), [&](const StampKind& kind) { return kind.name == name; });
}

}  // namespace

PluginIndex PluginIndex::scan(const std::vector<std::filesystem::path>& directories, const HostBuild& host) {
  PluginIndex index;
  for (Candidate& candidate : candidates(directories)) {
    if (!candidate.ignored.empty()) {
      index.ignored_.push_back(std::move(candidate));
      continue;
    }
    Stamp stamp;
    try {
      stamp = read_stamp(candidate.file);
      check_stamp(stamp, candidate.file, host);
      index.plugins_.push_back({candidate.file, std::move(stamp)});
    } catch (const PluginError& error) {
      index.refused_.push_back({candidate.file, error, std::move(stamp.kinds), std::move(stamp.id)});
    }
  }
  return index;
}

std::vector<std::string> PluginIndex::kind_names() const {
  std::vector<std::string> names;
  for (const FoundPlugin& plugin : plugins_) {
    for (const StampKind& kind : plugin.stamp.kinds) names.push_back(kind.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

FoundKind PluginIndex::resolve(std::string_view written) const {
  const std::size_t colon = written.rfind(':');
  const bool qualified = colon != std::string_view::npos;
  const std::string_view id = qualified ? written.substr(0, colon) : std::string_view();
  const std::string_view name = qualified ? written.substr(colon + 1) : written;
  const auto asked_for = [&](const std::string& plugin, const std::vector<StampKind>& kinds) {
    return (!qualified || plugin == id) && offers(kinds, name);
  };

  std::vector<const FoundPlugin*> found;
  for (const FoundPlugin& plugin : plugins_) {
    if (asked_for(plugin.stamp.id, plugin.stamp.kinds)) found.push_back(&plugin);
  }
  if (found.empty()) {
    for (const RefusedPlugin& plugin : refused_) {
      if (asked_for(plugin.id, plugin.kinds)) throw plugin.error;
    }
    throw PluginError(Stage::Find, "unknown_kind",
                      "no plugin offers kind " + base::quoted(base::printable(written)) +
                          base::did_you_mean(name, kind_names()) + "; run 'diopter plugin list' to see every kind.",
                      {.kind = std::string(written)});
  }
  for (const FoundPlugin& plugin : plugins_) {
    if (plugin.stamp.id == found[0]->stamp.id && plugin.file != found[0]->file) {
      throw PluginError(Stage::Find, "duplicate_id",
                        "plugin id " + base::quoted(plugin.stamp.id) + " is offered by " + found[0]->file.string() +
                            " and " + plugin.file.string() + "; remove one of them.",
                        {.file = plugin.file, .plugin_id = plugin.stamp.id, .kind = std::string(name)});
    }
  }
  if (found.size() > 1) {
    std::vector<std::string> offers_of;
    for (const FoundPlugin* plugin : found) offers_of.push_back(plugin->stamp.id + " (" + plugin->file.string() + ")");
    throw PluginError(Stage::Find, "ambiguous_kind",
                      "kind " + base::quoted(name) + " is offered by " + base::join(offers_of) + "; write kind = \"" +
                          found.back()->stamp.id + ":" + std::string(name) + "\" to choose.",
                      {.kind = std::string(name)});
  }
  return {found[0]->file, found[0]->stamp, std::string(name)};
}

}  // namespace diopter::host
