// [execution], sizes and durations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/study/toy_kinds.hpp"
#include "study/execution.hpp"

namespace diopter::study {
namespace {

using ::testing::ElementsAre;

TEST(Sizes, NeedAUnit) {
  EXPECT_EQ(parse_size("8GB"), 8'000'000'000);
  EXPECT_EQ(parse_size("512 MiB"), 512ll << 20);
  EXPECT_EQ(parse_size("1.5kB"), 1500);
  EXPECT_EQ(parse_size("1B"), 1);
  for (const auto* bad : {"", "8", "GB", "-8GB", "0GB", "8 gb", "8GB ", "1e3GB", "nanGB", "9999999999GB"})
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
}

TEST(Durations, AddUp) {
  EXPECT_EQ(parse_duration("2h"), 7200);
  EXPECT_EQ(parse_duration("1h30m"), 5400);
  EXPECT_EQ(parse_duration("1d 2s"), 86402);
  EXPECT_EQ(parse_duration("0.5s"), 0.5);
  for (const auto* bad : {"", "2", "h", "-2h", "0s", "2w", "2h30", "inf s"})
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
}

TEST(Execution, Mistakes) {
  EXPECT_THAT(toys::messages_of(toys::manifest_with("",
                                                    "[execution]\njobs = 0\nthreads = 5000\nverify = -1\non_error = "
                                                    "\"go\"\ntimeout = \"soon\"\nretries = 1.5\ndtype = 3")),
              ElementsAre("'jobs' of [execution] is 0, which is below 1",
                          "'threads' of [execution] is 5000, which is above 4096",
                          "'verify' of [execution] is -1, which is below 0",
                          "'on_error' of [execution] is 'go', which is not one of its choices (known: continue, stop)",
                          "'timeout' is 'soon', which is not a duration; for example \"90s\" or \"2h\"",
                          "'retries' of [execution] is 1.5, which is a number with a fraction, not a whole number",
                          "'dtype' belongs in [model]"));
}

TEST(Execution, DefaultsAreComplete) {
  const Study study = toys::study_of(toys::manifest_with(""));
  EXPECT_EQ(base::canonical_json(to_json(study.execution)),
            R"({"jobs":1,"on_error":"continue","retries":0,"strict":false,"verify":0})");
}

}  // namespace
}  // namespace diopter::study
