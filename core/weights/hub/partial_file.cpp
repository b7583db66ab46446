#include "weights/hub/partial_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/progress.hpp"

namespace diopter::hub {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::UserError;

[[noreturn]] void fail_to(const char* what, const fs::path& path, int error) {
  throw UserError(Exit::Store, std::string("cannot ") + what + " " + path.string() + ": " + base::errno_text(error),
                  "HF_HUB_CACHE names another folder for the cache", "hub.disk");
}

}  // namespace

PartialFile::PartialFile(fs::path file) : path_(std::move(file)) {
  // O_NOFOLLOW: a link at this name would make us write elsewhere.
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd_ < 0) fail(errno);
  struct stat status {};
  const int error = ::fstat(fd_, &status) != 0 ? errno : !S_ISREG(status.st_mode) ? EINVAL : 0;
  if (error != 0) {
    ::close(fd_);
    fail(error);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

PartialFile::~PartialFile() {
  if (fd_ >= 0) ::close(fd_);
}

void PartialFile::fail(int error) const {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  throw UserError(Exit::Store, "cannot write " + path_.string() + ": " + base::errno_text(error),
                  full ? "make room and run it again: it goes on where it stopped; HF_HUB_CACHE names another folder"
                       : "HF_HUB_CACHE names another folder for the cache",
                  "hub.disk");
}

void PartialFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(n < 0 ? errno : ENOSPC);
    size_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void PartialFile::restart() {
  if (::ftruncate(fd_, 0) != 0) fail(errno);
  size_ = 0;
}

void PartialFile::place(const fs::path& blob) {
  if (::fsync(fd_) != 0) fail(errno);
  const int closed = ::close(fd_);
  fd_ = -1;
  if (closed != 0) fail(errno);
  if (::rename(path_.c_str(), blob.c_str()) != 0) fail_to("place", blob, errno);
  base::sync_directory(blob.parent_path());
}

void PartialFile::remove() {
  ::close(fd_);
  fd_ = -1;
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) fail_to("remove", path_, errno);
}

void check_free_space(const fs::path& folder, std::uint64_t needed) {
  struct statvfs status {};
  if (::statvfs(folder.c_str(), &status) != 0) fail_to("look at", folder, errno);
  const std::uint64_t free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  if (needed <= free) return;
  throw UserError(Exit::Store,
                  fmt::format("expected {} of free space in {}, got {}", base::bytes_text(needed), folder.string(),
                              base::bytes_text(free)),
                  "make room, or let HF_HUB_CACHE name a folder on a larger disk", "hub.space");
}

void place_link(const fs::path& link, const fs::path& target) {
  base::make_directories(link.parent_path());
  const fs::path relative = target.lexically_relative(link.parent_path());
  if (::symlink(relative.c_str(), link.c_str()) == 0) {
    base::sync_directory(link.parent_path());
    return;
  }
  if (errno != EEXIST) fail_to("make a link", link, errno);
  const fs::path temporary = link.parent_path() / fmt::format(".link-{}", ::getpid());
  ::unlink(temporary.c_str());  // of a process with this number that was killed here
  if (::symlink(relative.c_str(), temporary.c_str()) != 0) fail_to("make a link", temporary, errno);
  if (::rename(temporary.c_str(), link.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail_to("place", link, error);
  }
  base::sync_directory(link.parent_path());
}

}  // namespace diopter::hub
