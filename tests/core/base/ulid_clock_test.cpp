#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <set>

#include "base/clock.hpp"
#include "base/ulid.hpp"

namespace diopter::base {
namespace {

std::int64_t milliseconds_of(const std::string& ulid) {
  static const std::string kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::int64_t out = 0;
  for (const char c : ulid.substr(0, 10)) out = out * 32 + static_cast<std::int64_t>(kAlphabet.find(c));
  return out;
}

TEST(Ulid, HoldsItsTimeAndDiffers) {
  const std::int64_t before = now_us() / 1000;
  std::set<std::string> seen, shorts;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = new_ulid();
    ASSERT_EQ(id.size(), 26u);
    ASSERT_EQ(id.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), std::string::npos);
    ASSERT_GE(milliseconds_of(id), before);
    ASSERT_LE(milliseconds_of(id), now_us() / 1000);
    seen.insert(id);
    shorts.insert(short_id(id));
  }
  EXPECT_EQ(seen.size(), 10'000u);
  EXPECT_GE(shorts.size(), 9'999u);  // 40 random bits
}

TEST(Ulid, ShortIdIsItsEnd) {
  EXPECT_EQ(short_id("01ARZ3NDEKTSV4RRFFQ69G5FAV"), "Q69G5FAV");
  EXPECT_EQ(short_id("abc"), "abc");
}

TEST(Clock, Iso8601) {
  EXPECT_EQ(iso8601(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(iso8601(1'763'820'120'123'456), "2025-11-22T14:02:00.123456Z");
  EXPECT_EQ(iso8601(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(Clock, LocalShortCountsCalendarDays) {
  ::setenv("TZ", "Europe/Berlin", 1);
  ::tzset();
  const std::int64_t second = 1'000'000, hour = 3600 * second, day = 24 * hour;
  const std::int64_t now = 1'774'774'800 * second;  // Sunday 2026-03-29 11:00 CEST; the clocks changed that night
  EXPECT_EQ(local_short(now, now), "today 11:00");
  EXPECT_EQ(local_short(now - 10 * hour, now), "today 00:00");
  EXPECT_EQ(local_short(now - 11 * hour, now), "yesterday 23:00");
  EXPECT_EQ(local_short(now - 2 * day, now), "Friday 10:00");
  EXPECT_EQ(local_short(now - 7 * day, now), "2026-03-22 10:00");
  EXPECT_EQ(local_short(now + day, now), "2026-03-30 11:00");
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace diopter::base
