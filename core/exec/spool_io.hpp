// The system calls a writer of a spool makes, so that tests can let each of them fail.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace diopter::exec {

// Each returns -1 and sets errno on failure, as the call it stands for.
class SpoolIo {
 public:
  virtual ~SpoolIo();
  virtual int open(const char* path, int flags);
  virtual ssize_t write_at(int fd, const void* bytes, std::size_t size, off_t offset);
  virtual int truncate(int fd, off_t size);
  virtual int sync(int fd);
  virtual int rename(const char* from, const char* to);
  virtual int close(int fd);
};

}  // namespace diopter::exec
