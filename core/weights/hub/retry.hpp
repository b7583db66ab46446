// When to ask again, and how long to wait before.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "weights/hub/http_client.hpp"

namespace diopter::hub {

// A failure that may pass: no connection, silence, a broken transfer, status 408, 429, 500, 502, 503, 504.
bool may_pass(const HttpReply& reply);

// What the server asks for: Retry-After (seconds or a date), else the "t=" of a RateLimit header. Nothing otherwise.
std::optional<double> asked_pause(const HttpReply& reply);

// Counts attempts in a row. The n-th pause is pause_seconds * 2^(n-1), at most a minute, times a random number in
// [0.5, 1), so that many machines that failed together do not come back together; or what the server asks for.
class Retry {
 public:
  explicit Retry(const HubSettings& settings);
  // Waits and returns true, or returns false: the attempts are used up, the server asks for more than five minutes, or
  // an interrupt arrived while waiting.
  bool again(const HttpReply& reply);
  void gained() { failures_ = 0; }  // something arrived: the next failure is the first again
  int failures() const { return failures_; }

 private:
  int attempts_, failures_ = 0;
  double pause_seconds_;
  std::minstd_rand random_;
};

// False when an interrupt ended it early.
bool sleep_unless_interrupted(double seconds);

}  // namespace diopter::hub
