// Step 6: maps a plugin library into the process, for ever. Tensors, autograd nodes and threads keep pointing into its
// code, so it is never unloaded.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "diopter/abi.h"

namespace diopter::host {

// The descriptor of the library at `file` (absolute). PluginError(Open) with the loader's reason, readable;
// PluginError(Entry, "no_symbol"). [any]
const diopter_plugin* open_library(const std::filesystem::path& file);

// What the loader said, as (code, sentence without the file): "undefined symbol nowhere(int); link ...".
struct LoadProblem {
  const char* code;
  std::string sentence;
};
LoadProblem explain_load_problem(std::string_view dlerror_text, const std::filesystem::path& file);

}  // namespace diopter::host
