#include "store/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "base/files.hpp"

namespace diopter::store {
namespace {

using Clock = std::chrono::steady_clock;

std::string own_command() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::string command((std::istreambuf_iterator<char>(in)), {});
  while (!command.empty() && command.back() == '\0') command.pop_back();
  for (char& c : command) {
    if (c == '\0' || c == '\n') c = ' ';
  }
  return command.substr(0, 400);
}

std::string holder(int fd) {
  std::array<char, 512> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string("an unknown process");
}

std::chrono::milliseconds jitter() {
  std::uint8_t byte = 0;
  if (::getrandom(&byte, 1, 0) != 1) byte = 128;
  return std::chrono::milliseconds(5 + byte * 45 / 255);
}

}  // namespace

std::filesystem::path lock_file(const std::filesystem::path& store) { return store / ".lock"; }

StoreLock::StoreLock(const std::filesystem::path& store, std::chrono::milliseconds patience) {
  const auto file = lock_file(store);
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) {
    const int error = errno;
    throw base::UserError(base::Exit::Store, "cannot lock the store " + store.string() + ": " + base::errno_text(error),
                          error == EROFS || error == EACCES ? "--store DIR names another one" : "", "store.lock");
  }
  const auto deadline = Clock::now() + patience;
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error == EINTR) continue;
    if (error != EWOULDBLOCK || Clock::now() >= deadline) {
      const std::string who = holder(fd_);
      ::close(fd_);
      if (error != EWOULDBLOCK) {
        throw base::UserError(base::Exit::Store,
                              "cannot lock the store " + store.string() + ": " + base::errno_text(error));
      }
      throw base::UserError(base::Exit::Store,
                            "the store " + store.string() + " has been locked for " +
                                std::to_string(patience.count() / 1000) + " s by " + who,
                            "wait for that process, or end it", "store.locked");
    }
    std::this_thread::sleep_for(jitter());
  }
  static const std::string command = own_command();
  const std::string text = "pid " + std::to_string(::getpid()) + " (" + command + ")";
  // Only for the message above: a full disk must not keep us from the lock.
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, text.data(), text.size(), 0) < 0) errno = 0;
}

StoreLock::~StoreLock() { ::close(fd_); }  // closing releases

}  // namespace diopter::store
