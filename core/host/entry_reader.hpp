// Step 7: the C descriptor, read through its sizes and strides and checked in full before any C++ of the plugin is
// called.
#pragma once

#include <filesystem>

#include "host/loaded_plugin.hpp"

namespace diopter::host {

// PluginError(Entry): no_symbol, small, epoch, level, null, name, duplicate_kind, duplicate_param, duplicate_output,
// reserved_name, bad_default, bad_example, needs, stamp_differs.
LoadedPlugin read_entry(const diopter_plugin& entry, const Stamp& stamp, const std::filesystem::path& file);

}  // namespace diopter::host
