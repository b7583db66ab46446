// Step 0: the LibTorch this process runs on is the one it was compiled for. A wheel can be replaced under an installed
// host, which often still starts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace diopter::host {

struct LoadedTorch {
  std::string version;  // "2.13.0"
  std::filesystem::path file;
};
LoadedTorch loaded_torch();

// PluginError(Host, "torch").
void check_host(const LoadedTorch& loaded = loaded_torch());

}  // namespace diopter::host
