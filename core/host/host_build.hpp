// What this host was built with, and whether a plugin's stamp agrees.
#pragma once

#include <filesystem>
#include <string>

#include "host/stamp.hpp"

namespace diopter::host {

struct HostBuild {
  int epoch = 0, level = 0;
  std::string sdk, torch, stl, containers, sanitizer;
};

const HostBuild& this_host();

// Step 4. Everything that differs in one PluginError(Stamp); its code is that of the first difference: torch, epoch,
// level, sdk, stl, containers, sanitizer.
void check_stamp(const Stamp& stamp, const std::filesystem::path& file, const HostBuild& host = this_host());

}  // namespace diopter::host
