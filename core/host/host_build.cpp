#include "host/host_build.hpp"

#include <vector>

#include "base/hints.hpp"
#include "diopter/stamp.hpp"
#include "host/plugin_error.hpp"
#include "host_build_generated.hpp"

namespace diopter::host {

const HostBuild& this_host() {
  static const HostBuild host{DIOPTER_ABI_EPOCH, DIOPTER_ABI_LEVEL,        DIOPTER_STAMP_SDK,      DIOPTER_HOST_TORCH,
                              DIOPTER_STAMP_STL, DIOPTER_STAMP_CONTAINERS, DIOPTER_STAMP_SANITIZER};
  return host;
}

void check_stamp(const Stamp& stamp, const std::filesystem::path& file, const HostBuild& host) {
  std::vector<std::string> theirs, ours;
  std::string code;
  const auto differ = [&](const char* name, const std::string& there, const std::string& here) {
    if (code.empty()) code = name;
    theirs.push_back(there);
    ours.push_back(here);
  };
  const auto compare = [&](const char* name, const std::string& words, const std::string& there,
                           const std::string& here) {
    if (there != here) differ(name, words + " " + there, words + " " + here);
  };
  compare("torch", "LibTorch", stamp.torch, host.torch);
  compare("epoch", "SDK epoch", std::to_string(stamp.epoch), std::to_string(host.epoch));
  if (stamp.epoch == host.epoch && stamp.level > host.level) {
    differ("level", "SDK level " + std::to_string(stamp.level), "SDK level " + std::to_string(host.level));
  }
  if (!stamp.sdk.empty()) compare("sdk", "SDK headers", stamp.sdk, host.sdk);
  compare("stl", "C++ library", stamp.stl, host.stl);
  compare("containers", "containers", stamp.containers, host.containers);
  compare("sanitizer", "sanitizer", stamp.sanitizer, host.sanitizer);
  if (theirs.empty()) return;
  throw PluginError(Stage::Stamp, code,
                    file.string() + " was built for " + base::join(theirs) + " but this host has " + base::join(ours) +
                        "; rebuild it with -DCMAKE_PREFIX_PATH=\"$(diopter --cmake-prefix-path)\".",
                    {.file = file, .plugin_id = stamp.id});
}

}  // namespace diopter::host
