#include "host/search_path.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>

#include "base/installation.hpp"
#include "host/plugin_error.hpp"

namespace diopter::host {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSuffix = ".diopter.so";

std::vector<fs::path> split(std::string_view list) {
  std::vector<fs::path> out;
  while (!list.empty()) {
    const std::size_t colon = list.find(':');
    if (colon != 0) out.emplace_back(list.substr(0, colon));
    list.remove_prefix(colon == std::string_view::npos ? list.size() : colon + 1);
  }
  return out;
}

fs::path checked(const fs::path& directory, const char* origin, const char* advice) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return fs::canonical(directory);
  throw PluginError(Stage::Find, "missing_dir",
                    "cannot search for plugins in " + directory.string() + " (from " + origin +
                        ") because it is not a directory; correct the " + advice + " or create it.",
                    {.file = directory});
}

}  // namespace

SearchOptions default_search(std::vector<fs::path> plugin_path) {
  const char* environment = std::getenv("DIOPTER_PLUGIN_PATH");
  return {std::move(plugin_path), environment ? std::optional<std::string>(environment) : std::nullopt,
          base::plugins()};
}

std::vector<fs::path> search_path(const SearchOptions& options) {
  std::vector<fs::path> found;
  const auto add = [&](const fs::path& directory) {
    if (std::find(found.begin(), found.end(), directory) == found.end()) found.push_back(directory);
  };
  for (const auto& directory : options.plugin_path) add(checked(directory, "--plugin-path", "option"));
  if (options.environment) {
    for (const auto& directory : split(*options.environment))
      add(checked(directory, "DIOPTER_PLUGIN_PATH", "variable"));
  }
  std::error_code error;
  if (fs::is_directory(options.installed, error)) add(fs::canonical(options.installed));
  return found;
}

std::vector<Candidate> candidates(const std::vector<fs::path>& directories) {
  std::vector<Candidate> out;
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const auto& directory : directories) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
      const std::string name = file.filename().string();
      if (!name.ends_with(".so")) continue;
      struct stat status {};
      if (::stat(file.c_str(), &status) == 0 && !seen.emplace(status.st_dev, status.st_ino).second) continue;
      Candidate& next = out.emplace_back(Candidate{file, {}});
      if (!name.ends_with(kSuffix) || name.size() == kSuffix.size()) {
        next.ignored = file.string() +
                       " is ignored because its name does not end in .diopter.so; build it with "
                       "diopter_add_plugin().";
      }
    }
  }
  return out;
}

}  // namespace diopter::host
