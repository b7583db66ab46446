#include "weights/hub/retry.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <thread>

#include "base/interrupt.hpp"

namespace diopter::hub {
namespace {

constexpr double kLongestPause = 60;   // of our own
constexpr double kLongestAsked = 300;  // of a server's wish; beyond, a person decides
constexpr int kMostDoublings = 10;

std::optional<double> number_at(const std::string& text, std::size_t at) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  const bool fine = error == std::errc() && end != text.data() + at && std::isfinite(value) && value >= 0;
  return fine ? std::optional(value) : std::nullopt;
}

}  // namespace

bool may_pass(const HttpReply& reply) {
  switch (reply.ending) {
    case Ending::NoConnection:
    case Ending::Silent:
    case Ending::Broken: return true;
    case Ending::Complete: break;
    default: return false;
  }
  switch (reply.status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504: return true;
    default: return false;
  }
}

std::optional<double> asked_pause(const HttpReply& reply) {
  const std::string after = reply.header("retry-after");
  if (!after.empty()) {
    if (const auto seconds = number_at(after, 0)) return seconds;
    const std::time_t date = curl_getdate(after.c_str(), nullptr);
    if (date >= 0) return std::max(0.0, std::difftime(date, std::time(nullptr)));
  }
  const std::string limit = reply.header("ratelimit");  // "api";r=0;t=55: nothing left, 55 seconds to the next window
  const std::size_t at = limit.find(";t=");
  if (reply.status == 429 && at != std::string::npos) return number_at(limit, at + 3);
  return std::nullopt;
}

bool sleep_unless_interrupted(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (!base::interrupted()) {
    const auto left = end - Clock::now();
    if (left <= Clock::duration::zero()) return true;
    std::this_thread::sleep_for(std::min<Clock::duration>(left, std::chrono::milliseconds(50)));
  }
  return false;
}

Retry::Retry(const HubSettings& settings)
    : attempts_(settings.attempts), pause_seconds_(settings.pause_seconds), random_(std::random_device{}()) {}

bool Retry::again(const HttpReply& reply) {
  if (++failures_ >= attempts_) return false;
  if (const auto asked = asked_pause(reply)) return *asked <= kLongestAsked && sleep_unless_interrupted(*asked);
  const double doubled = pause_seconds_ * std::pow(2.0, std::min(failures_ - 1, kMostDoublings));
  std::uniform_real_distribution<double> jitter(0.5, 1.0);
  return sleep_unless_interrupted(std::min(doubled, kLongestPause) * jitter(random_));
}

}  // namespace diopter::hub
