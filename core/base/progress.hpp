// One line on stderr for what is running: what, bar, done/total, rate, remaining.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace diopter::base {

enum class ProgressUnit { Count, Bytes };  // Bytes: "123 MB/548 MB", "11 MB/s"

// Any thread. On a terminal the line is redrawn at most 10 times a second and cleared by finish(); elsewhere one plain
// line every 30 s. Quiet: nothing is drawn.
class Progress {
 public:
  explicit Progress(bool quiet = false, ProgressUnit unit = ProgressUnit::Count);
  ~Progress();
  void update(const std::string& what, std::int64_t done, std::int64_t total, const std::string& extra = {});
  void finish();  // clears the line; calling it twice is fine

 private:
  std::string line(const std::string& what, std::int64_t done, std::int64_t total, const std::string& extra) const;

  std::mutex mutex_;
  bool quiet_, terminal_, utf8_, drawn_ = false;
  ProgressUnit unit_;
  std::string what_;
  std::int64_t started_us_ = 0, shown_us_ = 0, first_done_ = 0;
};

std::string bytes_text(std::uint64_t bytes);  // "512 B", "1.2 kB", "548 MB", "14.5 GB": powers of ten
std::string duration_text(double seconds);    // "0.03 s", "12 s", "3 min 41 s", "2 h 05 min"

}  // namespace diopter::base
