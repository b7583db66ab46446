// Kinds by name: found by their stamps, opened when asked for, never closed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/loaded_plugin.hpp"
#include "host/plugin_index.hpp"
#include "study/study.hpp"

namespace diopter::exec {

class KindLibrary {
 public:
  // `plugin_path`: looked at first. UserError for a directory that is not there.
  explicit KindLibrary(std::vector<std::filesystem::path> plugin_path = {});

  host::LoadedKind open(std::string_view name);                              // host::PluginError
  std::vector<host::LoadedKind> of_file(const std::filesystem::path& file);  // every kind of one file
  // For the manifest reader: an error becomes its sentence. A library's fault keeps its exit code in worst().
  study::KindAnswer answer(std::string_view name);
  host::LoadedKind loaded(const diopter_kind* kind) const;  // of an answer
  base::Exit worst() const { return worst_; }

 private:
  host::PluginIndex index_;
  std::vector<host::LoadedKind> opened_;
  base::Exit worst_ = base::Exit::Usage;
};

}  // namespace diopter::exec
