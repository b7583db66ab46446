#include "base/installation.hpp"

#include "base/error.hpp"

namespace diopter::base {
namespace fs = std::filesystem;

fs::path executable() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  DIOPTER_CHECK(!error, "cannot read /proc/self/exe");
  return self;
}

fs::path prefix() {
  const fs::path folder = executable().parent_path();
  return folder.filename() == "diopter" && folder.parent_path().filename() == "libexec"
             ? folder.parent_path().parent_path()
             : folder.parent_path();
}

fs::path share() { return prefix() / "share" / "diopter"; }
fs::path plugins() { return prefix() / "lib" / "diopter" / "plugins"; }

}  // namespace diopter::base
