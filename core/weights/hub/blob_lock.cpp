#include "weights/hub/blob_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>

#include "base/error.hpp"
#include "base/files.hpp"
#include "weights/hub/refusal.hpp"
#include "weights/hub/retry.hpp"

namespace diopter::hub {
namespace fs = std::filesystem;
namespace {

using base::Exit;
using base::UserError;

constexpr double kPollSeconds = 0.1;

[[noreturn]] void fail_to_lock(const fs::path& file, int error) {
  throw UserError(Exit::Store, "cannot lock " + file.string() + ": " + base::errno_text(error),
                  "HF_HUB_CACHE names another folder for the cache, on a file system with locks", "hub.lock");
}

// A descriptor that holds the lock, or -1 when another process has it (or had it and took the file away).
int try_lock(const fs::path& file) {
  // Group-writable, as huggingface_hub makes them: users of a shared cache wait for each other.
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0664);
  if (fd < 0) fail_to_lock(file, errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(fd);
    if (error == EWOULDBLOCK || error == EACCES || error == EINTR) return -1;
    fail_to_lock(file, error);
  }
  struct stat held {
  }, named{};
  const bool same = ::fstat(fd, &held) == 0 && ::stat(file.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
                    held.st_ino == named.st_ino;
  if (same) return fd;
  ::close(fd);
  return -1;
}

// The bytes of the content that are here, finished or not.
std::uintmax_t bytes_here(const fs::path& blob) {
  std::uintmax_t sum = 0;
  std::error_code ignored;
  const std::string name = blob.filename().string();
  for (fs::directory_iterator at(blob.parent_path(), ignored), end; !ignored && at != end; at.increment(ignored)) {
    if (!at->path().filename().string().starts_with(name)) continue;
    std::error_code gone;  // renamed since it was listed
    const std::uintmax_t size = at->file_size(gone);
    if (!gone) sum += size;
  }
  return sum;
}

}  // namespace

BlobLock::BlobLock(const fs::path& file, const fs::path& blob, int patience_seconds,
                   const std::function<void()>& waiting) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_growth = Clock::now();
  std::uintmax_t seen = bytes_here(blob);
  for (;;) {
    fd_ = try_lock(file);
    if (fd_ >= 0) return;
    if (const std::uintmax_t now = bytes_here(blob); now != seen) {
      seen = now;
      last_growth = Clock::now();
    }
    if (Clock::now() - last_growth > std::chrono::seconds(patience_seconds)) {
      throw UserError(
          Exit::Refused,
          fmt::format("another process holds {} and has fetched nothing for {} s", file.string(), patience_seconds),
          fmt::format("end that process (fuser {} names it) or wait for it", base::shell_quoted(file.string())),
          "hub.locked");
    }
    waiting();
    if (!sleep_unless_interrupted(kPollSeconds)) stop_interrupted();
  }
}

BlobLock::~BlobLock() {
  if (fd_ >= 0) ::close(fd_);  // which releases it; unlinking would part those who wait
}

}  // namespace diopter::hub
