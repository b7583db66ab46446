#include "host/check_host.hpp"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include "host/host_build.hpp"
#include "host/plugin_error.hpp"

// Part of LibTorch's stable C ABI since 2.9; weak, so that an older LibTorch is reported and not a missing symbol.
extern "C" __attribute__((weak)) std::uint64_t aoti_torch_abi_version();

namespace diopter::host {

LoadedTorch loaded_torch() {
  LoadedTorch loaded{"a version without a number", {}};
  Dl_info info{};
  // Any function of libtorch_cpu tells where it was loaded from.
  if (::dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &info) != 0) loaded.file = info.dli_fname;
  if (aoti_torch_abi_version != nullptr) {
    const std::uint64_t version = aoti_torch_abi_version();  // major, minor, patch in the highest three bytes
    loaded.version = std::to_string(version >> 56) + "." + std::to_string((version >> 48) & 0xff) + "." +
                     std::to_string((version >> 40) & 0xff);
  }
  return loaded;
}

void check_host(const LoadedTorch& loaded) {
  const std::string& built = this_host().torch;
  if (loaded.version == built) return;
  throw PluginError(Stage::Host, "torch",
                    "this Diopter was built with LibTorch " + built + " but found " + loaded.version + " in " +
                        loaded.file.string() + "; install torch==" + built + " or rebuild Diopter.",
                    {.file = loaded.file});
}

}  // namespace diopter::host
