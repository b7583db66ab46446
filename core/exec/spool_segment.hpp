// The one open segment of a writer: whole groups in memory, written through to <number>.open, renamed when sealed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "exec/spool_io.hpp"

namespace diopter::exec {

// A record without its type, number and time: the text between the braces of a JSON object, `"run":"01..","step":0`.
struct SpoolRecord {
  std::string type;
  std::string members;
};

// What a write or a seal came to; 0 is success.
struct IoResult {
  int error = 0;  // errno
  explicit operator bool() const { return error == 0; }
};

// One thread at a time. Its memory is bounded by kMostBytes: a full disk delays writing, and then refuses.
class SpoolSegment {
 public:
  static constexpr std::size_t kMostBytes = 64u << 20;

  SpoolSegment(SpoolIo& io, std::filesystem::path directory, std::string batch, std::string writer);
  ~SpoolSegment();
  SpoolSegment(const SpoolSegment&) = delete;
  SpoolSegment& operator=(const SpoolSegment&) = delete;

  bool has_room(std::size_t bytes) const noexcept { return bytes_.size() + bytes <= kMostBytes; }
  // Adds a group and its `commit`; `run` is empty for records of the writer. In memory only.
  void add(const std::vector<SpoolRecord>& group, const std::string& run, std::int64_t now_us);
  // Writes what is not written yet.
  IoResult flush();
  // Seal line, fsync, rename, fsync of the directory; the next add starts the next segment. On failure everything is
  // as before and can be tried again. Nothing to seal is a success.
  IoResult seal(std::int64_t now_us);

  bool empty() const noexcept { return bytes_.empty(); }
  std::size_t size() const noexcept { return bytes_.size(); }
  std::size_t unwritten() const noexcept { return bytes_.size() - written_; }
  std::int64_t oldest_us() const noexcept { return oldest_us_; }  // time of its first record
  std::filesystem::path open_path() const;

 private:
  void append_line(const std::string& type, std::int64_t now_us, const std::string& members);
  void start(std::int64_t now_us);
  IoResult write_all();
  IoResult try_seal();
  void start_over();

  SpoolIo& io_;
  std::filesystem::path directory_;
  std::string batch_, writer_;
  std::int64_t number_ = 1, next_n_ = 1;
  std::int64_t oldest_us_ = 0, records_ = 0;
  std::string bytes_;        // of this segment, from its start
  std::size_t written_ = 0;  // how many of them are in the file
  int fd_ = -1;
};

}  // namespace diopter::exec
