// A plugin whose library is loaded and whose descriptor has passed every check. Lives as long as the process.
#pragma once

#include <string>
#include <vector>

#include "diopter/abi.h"
#include "host/plugin_index.hpp"

namespace diopter::host {

struct LoadedPlugin {
  std::filesystem::path file;
  Stamp stamp;
  std::string built_with;
  // Copies of ours, zero where the plugin's struct was shorter; what they point to lies in the library.
  diopter_plugin entry{};
  std::vector<diopter_kind> kinds;
};

struct LoadedKind {
  const LoadedPlugin* plugin = nullptr;
  const diopter_kind* kind = nullptr;  // in plugin->kinds

  std::string name() const { return kind->name; }
  bool needs(std::uint32_t bit) const { return (kind->needs & bit) != 0; }
  About about() const { return {plugin->file, plugin->stamp.id, kind->name}; }
};

// Steps 0, 6 and 7, once per file. PluginError(Host, Open or Entry). [any]
const LoadedPlugin& load_plugin(const std::filesystem::path& file, const Stamp& stamp);
LoadedKind load_kind(const FoundKind& found);

}  // namespace diopter::host
