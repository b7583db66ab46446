#include "exec/spool_io.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace diopter::exec {

SpoolIo::~SpoolIo() = default;
int SpoolIo::open(const char* path, int flags) { return ::open(path, flags | O_CLOEXEC, 0666); }
ssize_t SpoolIo::write_at(int fd, const void* bytes, std::size_t size, off_t offset) {
  return ::pwrite(fd, bytes, size, offset);
}
int SpoolIo::truncate(int fd, off_t size) { return ::ftruncate(fd, size); }
int SpoolIo::sync(int fd) { return ::fsync(fd); }
int SpoolIo::rename(const char* from, const char* to) { return std::rename(from, to); }
int SpoolIo::close(int fd) { return ::close(fd); }

}  // namespace diopter::exec
