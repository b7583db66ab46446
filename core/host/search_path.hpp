// Where plugins are looked for, and which files there may be some. Steps 1 and 2; no file is opened.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace diopter::host {

struct SearchOptions {
  std::vector<std::filesystem::path> plugin_path;  // --plugin-path, in the order given
  std::optional<std::string> environment;          // DIOPTER_PLUGIN_PATH, separated by colons
  std::filesystem::path installed;                 // <prefix>/lib/diopter/plugins; the only one that may be absent
};
// The two from the process: the variable and the installation.
SearchOptions default_search(std::vector<std::filesystem::path> plugin_path = {});

// Absolute directories in the order of the search, each once. PluginError(Find, "missing_dir").
std::vector<std::filesystem::path> search_path(const SearchOptions& options);

struct Candidate {
  std::filesystem::path file;  // absolute
  std::string ignored;         // why it is not looked at, one sentence; "" for files that are
};

// *.diopter.so of each directory, sorted by name, the same file (inode) once; other *.so as ignored ones.
std::vector<Candidate> candidates(const std::vector<std::filesystem::path>& directories);

}  // namespace diopter::host
