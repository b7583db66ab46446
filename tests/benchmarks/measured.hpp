// What a benchmark's server measures of itself: wall-clock and processor time, resident memory. Linux.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>

namespace diopter::benchmarks {

// Of all threads of this process.
inline double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Runs from its construction.
class Stopwatch {
 public:
  double wall() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  double cpu() const { return cpu_seconds() - cpu_start_; }

 private:
  double cpu_start_ = cpu_seconds();
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Bytes of a line of /proc/self/status: VmRSS (now) or VmHWM (the most since forget_peak).
inline std::int64_t memory_bytes(const std::string& line) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kilobytes = 0;
    if (word == line + ":" && status >> kilobytes) return kilobytes * 1024;
  }
  throw std::runtime_error(fmt::format("/proc/self/status has no line {}", line));
}

inline void forget_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  if (!file) throw std::runtime_error("the peak of the resident memory cannot be reset: /proc/self/clear_refs");
}

}  // namespace diopter::benchmarks
