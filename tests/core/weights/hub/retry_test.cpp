#include "weights/hub/retry.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "base/interrupt.hpp"
#include "weights/hub/http_client.hpp"

namespace diopter::hub {
namespace {

HttpReply answer(int status, std::map<std::string, std::string> headers = {}) {
  return {.status = status, .headers = std::move(headers)};
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST(Retry, KnowsWhatMayPass) {
  for (const int status : {408, 429, 500, 502, 503, 504}) EXPECT_TRUE(may_pass(answer(status))) << status;
  for (const int status : {200, 400, 401, 403, 404, 416, 501}) EXPECT_FALSE(may_pass(answer(status))) << status;
  for (const Ending ending : {Ending::NoConnection, Ending::Silent, Ending::Broken})
    EXPECT_TRUE(may_pass({.ending = ending}));
  for (const Ending ending : {Ending::BadServer, Ending::TooLarge, Ending::Refused, Ending::Interrupted})
    EXPECT_FALSE(may_pass({.ending = ending}));
}

TEST(Retry, ReadsWhatTheServerAsks) {
  EXPECT_EQ(asked_pause(answer(429, {{"retry-after", "7"}})), 7);
  EXPECT_EQ(asked_pause(answer(503, {{"retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"}})), 0);  // long ago
  EXPECT_EQ(asked_pause(answer(429, {{"ratelimit", "\"api\";r=0;t=55"}})), 55);
  EXPECT_EQ(asked_pause(answer(200, {{"ratelimit", "\"api\";r=9;t=55"}})), std::nullopt);
  EXPECT_EQ(asked_pause(answer(429, {{"retry-after", "soon"}})), std::nullopt);
  EXPECT_EQ(asked_pause(answer(429, {{"retry-after", "-3"}})), std::nullopt);
  EXPECT_EQ(asked_pause(answer(429, {{"retry-after", "inf"}})), std::nullopt);
}

TEST(Retry, PausesDoubleWithJitter) {
  HubSettings settings;
  settings.attempts = 4;
  settings.pause_seconds = 0.1;
  Retry retry(settings);
  double least = 0.05;
  for (int i = 0; i < 3; ++i, least *= 2) {
    const double waited = seconds_of([&] { EXPECT_TRUE(retry.again(answer(500))); });
    EXPECT_GE(waited, least);
    EXPECT_LT(waited, 2 * least + 0.5);
  }
  EXPECT_FALSE(retry.again(answer(500)));  // the fourth attempt was the last
  retry.gained();
  EXPECT_TRUE(retry.again(answer(500)));
}

TEST(Retry, NobodyWaitsForHours) {
  HubSettings settings;
  EXPECT_LT(seconds_of([&] { EXPECT_FALSE(Retry(settings).again(answer(429, {{"retry-after", "3600"}}))); }), 1);
}

TEST(Retry, AnInterruptEndsThePause) {
  base::request_interrupt(2);
  EXPECT_LT(seconds_of([] { EXPECT_FALSE(sleep_unless_interrupted(30)); }), 1);
  base::clear_interrupt();
}

TEST(Url, RedirectsAreAbsoluteAndWeb) {
  EXPECT_EQ(absolute_url("https://h/a/b", "/c?d=%2F"), "https://h/c?d=%2F");
  EXPECT_EQ(absolute_url("https://h/a/b", "https://cdn:8443/x"), "https://cdn:8443/x");
  EXPECT_EQ(absolute_url("https://h/a/b", "//other/x"), "https://other/x");
  EXPECT_EQ(absolute_url("https://h/a", "file:///etc/passwd"), "");
  EXPECT_EQ(absolute_url("https://h/a", "ftp://h/x"), "");
}

TEST(Url, OriginsHaveSchemeHostAndPort) {
  EXPECT_EQ(origin_of("https://Hub.example/x"), origin_of("https://hub.example:443/y"));
  EXPECT_NE(origin_of("https://hub.example/x"), origin_of("http://hub.example/x"));
  EXPECT_NE(origin_of("https://hub.example/x"), origin_of("https://hub.example:8443/x"));
  EXPECT_NE(origin_of("https://hub.example/x"), origin_of("https://hub.example@evil.example/x"));
}

}  // namespace
}  // namespace diopter::hub
