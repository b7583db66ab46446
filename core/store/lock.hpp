// The rule of one writer: whoever writes or checkpoints a store holds this lock, an flock() on a file of its own.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace diopter::store {

class StoreLock {
 public:
  // Tries every 5 to 50 ms. After `patience`: UserError(Store) that names the holder. The file gets this process's pid
  // and command.
  explicit StoreLock(const std::filesystem::path& store, std::chrono::milliseconds patience = std::chrono::seconds(30));
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  int fd_ = -1;
};

std::filesystem::path lock_file(const std::filesystem::path& store);

}  // namespace diopter::store
