#include "store/file_system.hpp"

#include <sys/vfs.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/files.hpp"

namespace diopter::store {
namespace fs = std::filesystem;
namespace {

struct Known {
  std::uint32_t magic;
  const char* name;
};
// linux/magic.h and the manual page statfs(2); those of the vendors are not in any header.
constexpr Known kNetwork[] = {
    {0x6969, "NFS"},        {0x517B, "SMB"},      {0xFF534D42, "CIFS"},   {0xFE534D42, "SMB2"},
    {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"}, {0x19830326, "BeeGFS"}, {0x00C36400, "CephFS"},
    {0x01021997, "9p"},     {0x65735546, "FUSE"}, {0x5346414F, "AFS"},
};

}  // namespace

std::optional<std::string> network_file_system(std::uint64_t f_type) {
  for (const Known& known : kNetwork) {
    if (known.magic == static_cast<std::uint32_t>(f_type)) return known.name;  // f_type is signed on some systems
  }
  return {};
}

std::uint64_t file_system_type(const fs::path& directory) {
  fs::path at = fs::absolute(directory);
  struct statfs info {};
  while (::statfs(at.c_str(), &info) != 0) {
    const int error = errno;
    if ((error != ENOENT && error != ENOTDIR) || at == at.root_path()) {
      throw base::UserError(base::Exit::Store,
                            "cannot open the store " + directory.string() + ": " + base::errno_text(error));
    }
    at = at.parent_path();
  }
  return static_cast<std::uint64_t>(info.f_type);
}

void require_local_file_system(const fs::path& directory, std::uint64_t f_type) {
  const auto name = network_file_system(f_type);
  if (!name) return;
  throw base::UserError(base::Exit::Store,
                        "the store " + directory.string() + " is on a network file system (" + *name +
                            "), where SQLite's locks do not hold",
                        "--store DIR on a local disk; the spool may stay on the shared one with --spool DIR",
                        "store.network_file_system");
}

}  // namespace diopter::store
