#include "base/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "base/clock.hpp"
#include "base/terminal.hpp"

namespace diopter::base {

std::string duration_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  const char* const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < std::size(units); ++unit) value /= 1000;
  return fmt::format("{:.{}f} {}", value, value < 99.95 ? 1 : 0, units[unit]);
}

Progress::Progress(bool quiet, ProgressUnit unit)
    : quiet_(quiet), terminal_(is_terminal(STDERR_FILENO)), utf8_(utf8_locale()), unit_(unit) {}
Progress::~Progress() { finish(); }

std::string Progress::line(const std::string& what, std::int64_t done, std::int64_t total,
                           const std::string& extra) const {
  const double elapsed = static_cast<double>(shown_us_ - started_us_) / 1e6;
  const double fraction = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  const double rate = elapsed > 0 ? static_cast<double>(done - first_done_) / elapsed : 0;
  constexpr int kWidth = 24;
  const int filled = std::clamp(static_cast<int>(fraction * kWidth), 0, kWidth);
  std::string bar;
  for (int i = 0; i < kWidth; ++i) bar += i < filled ? (utf8_ ? "━" : "#") : (utf8_ ? "╌" : "-");
  const auto amount = [&](std::int64_t n) {
    return unit_ == ProgressUnit::Bytes ? bytes_text(static_cast<std::uint64_t>(n)) : std::to_string(n);
  };
  std::string out = fmt::format("  {}  {} {}/{}", what, bar, amount(done), amount(total));
  if (rate > 0 && unit_ == ProgressUnit::Bytes)
    out += fmt::format("  {}/s", bytes_text(static_cast<std::uint64_t>(rate)));
  else if (rate > 0) out += fmt::format("  {:.{}f}/s", rate, rate < 10 ? 1 : 0);
  if (rate > 0 && done < total) out += "  " + duration_text(static_cast<double>(total - done) / rate) + " left";
  return extra.empty() ? out : out + "  " + extra;
}

void Progress::update(const std::string& what, std::int64_t done, std::int64_t total, const std::string& extra) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  const std::int64_t now = now_us();
  if (what != what_) {
    what_ = what;
    started_us_ = now;
    first_done_ = done;
    shown_us_ = terminal_ ? 0 : now;
  }
  if (now - shown_us_ < (terminal_ ? 100'000 : 30'000'000)) return;
  shown_us_ = now;
  const std::string text = line(what, done, total, extra);
  if (terminal_) {
    std::fputs(("\r\x1b[2K" + text).c_str(), stderr);  // fmt::print would throw when stderr is closed
    std::fflush(stderr);
    drawn_ = true;
  } else {
    std::fputs((text + "\n").c_str(), stderr);
  }
}

void Progress::finish() {
  const std::lock_guard lock(mutex_);
  if (drawn_) {
    std::fputs("\r\x1b[2K", stderr);
    std::fflush(stderr);
  }
  drawn_ = false;
  what_.clear();
}

}  // namespace diopter::base
