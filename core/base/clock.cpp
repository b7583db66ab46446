#include "base/clock.hpp"

#include <fmt/format.h>
#include <sys/time.h>

#include <ctime>

namespace diopter::base {

std::int64_t now_us() {
  timeval tv{};
  ::gettimeofday(&tv, nullptr);
  return static_cast<std::int64_t>(tv.tv_sec) * 1'000'000 + tv.tv_usec;
}

std::string iso8601(std::int64_t us) {
  const std::int64_t fraction = (us % 1'000'000 + 1'000'000) % 1'000'000;  // also before 1970
  const std::time_t seconds = (us - fraction) / 1'000'000;
  std::tm t{};
  ::gmtime_r(&seconds, &t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec, fraction);
}

std::string local_short(std::int64_t us, std::int64_t now) {
  static constexpr const char* kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  const std::time_t then_s = us / 1'000'000, now_s = now / 1'000'000;
  std::tm then{}, today{};
  ::localtime_r(&then_s, &then);
  ::localtime_r(&now_s, &today);
  std::tm then_noon = then, today_noon = today;
  then_noon.tm_hour = today_noon.tm_hour = 12;
  then_noon.tm_min = today_noon.tm_min = then_noon.tm_sec = today_noon.tm_sec = 0;
  const double days = std::difftime(std::mktime(&today_noon), std::mktime(&then_noon)) / 86400.0;
  const std::string clock = fmt::format("{:02}:{:02}", then.tm_hour, then.tm_min);
  if (days > -0.5 && days < 0.5) return "today " + clock;
  if (days > 0.5 && days < 1.5) return "yesterday " + clock;
  if (days > 1.5 && days < 6.5) return std::string(kDays[then.tm_wday]) + " " + clock;
  return fmt::format("{:04}-{:02}-{:02} {}", then.tm_year + 1900, then.tm_mon + 1, then.tm_mday, clock);
}

}  // namespace diopter::base
