#include "cli/time_words.hpp"

#include <cctype>
#include <ctime>

#include "base/error.hpp"
#include "base/hints.hpp"

namespace diopter::cli {
namespace {

std::int64_t unit_us(char unit) {
  switch (unit) {
    case 's': return 1'000'000;
    case 'm': return 60'000'000;
    case 'h': return 3'600'000'000;
    case 'd': return 86'400'000'000;
    case 'w': return 604'800'000'000;
    default: return 0;
  }
}

// -1: not a duration.
std::int64_t duration_or_none(const std::string& text) {
  if (text.size() < 2 || text.size() > 12 || unit_us(text.back()) == 0) return -1;
  std::int64_t number = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (!std::isdigit(static_cast<unsigned char>(text[i]))) return -1;
    number = number * 10 + (text[i] - '0');
  }
  if (number > 1'000'000'000) return -1;
  return number * unit_us(text.back());
}

}  // namespace

std::int64_t parse_duration(const std::string& text) {
  const std::int64_t duration = duration_or_none(text);
  if (duration < 0)
    throw base::UserError(base::Exit::Usage,
                          base::quoted(text) + " is not a duration; expected a number and s, m, h, d or w: 30s");
  return duration;
}

std::int64_t parse_time(const std::string& text, std::int64_t now_us) {
  const std::int64_t duration = duration_or_none(text);
  if (duration >= 0) return now_us - duration;
  for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* rest = ::strptime(text.c_str(), format, &parts);
    if (!rest) continue;
    const bool utc = *rest == 'Z' && rest[1] == '\0';
    if (*rest != '\0' && !utc) continue;
    parts.tm_isdst = -1;
    return (utc ? ::timegm(&parts) : std::mktime(&parts)) * std::int64_t{1'000'000};
  }
  throw base::UserError(base::Exit::Usage,
                        base::quoted(text) + " is not a time; expected 2d, 2026-11-20 or 2026-11-20T14:00");
}

}  // namespace diopter::cli
