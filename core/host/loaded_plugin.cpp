#include "host/loaded_plugin.hpp"

#include <map>
#include <memory>
#include <mutex>

#include "base/error.hpp"
#include "host/check_host.hpp"
#include "host/entry_reader.hpp"
#include "host/shared_object.hpp"

namespace diopter::host {

const LoadedPlugin& load_plugin(const std::filesystem::path& file, const Stamp& stamp) {
  static std::mutex mutex;
  static auto& loaded =
      *new std::map<std::filesystem::path, std::unique_ptr<const LoadedPlugin>>;  // immortal, as the libraries
  const std::lock_guard lock(mutex);
  auto& plugin = loaded[file];
  if (!plugin) {
    check_host();
    plugin = std::make_unique<const LoadedPlugin>(read_entry(*open_library(file), stamp, file));
  }
  return *plugin;
}

LoadedKind load_kind(const FoundKind& found) {
  const LoadedPlugin& plugin = load_plugin(found.file, found.stamp);
  for (const diopter_kind& kind : plugin.kinds) {
    if (found.name == kind.name) return {&plugin, &kind};
  }
  base::internal_error(__FILE__, __LINE__,
                       "a checked descriptor lacks kind " + found.name);  // read_entry compared with the stamp
}

}  // namespace diopter::host
