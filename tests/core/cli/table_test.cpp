// Tables on a terminal and times as people type them.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "cli/output.hpp"
#include "cli/table.hpp"
#include "cli/time_words.hpp"

namespace {

using namespace diopter::cli;

const Rows kRows{{{"id", "ID", false, true}, {"x", "", true}, {"text", "TEXT"}, {"none", ""}},
                 {{"8FKQ2M1P", 0.123456, "a sentence that is rather long for the terminal", nullptr},
                  {"1C0Z77AA", -7, "tab\there", nullptr}}};

TEST(Table, CutsTextNotIdsAndLeavesOutEmptyColumns) {
  EXPECT_EQ(aligned_table(kRows, true, 40),
            "ID             x  TEXT\n"
            "8FKQ2M1P  0.1235  a sentence that is ra…\n"
            "1C0Z77AA      -7  tab\\there\n");
}

TEST(Table, TabSeparatedIsNeverCut) {
  EXPECT_EQ(tsv(kRows, false),
            "8FKQ2M1P\t0.123456\ta sentence that is rather long for the terminal\t\n1C0Z77AA\t-7\ttab\\there\t\n");
}

TEST(Table, CsvAndMarkdownQuote) {
  const Rows rows{{{"a,b", ""}, {"c", "", true}}, {{"say \"x\"\n", 1.5}, {"p|q", true}}};
  EXPECT_EQ(csv(rows, true), "\"a,b\",c\n\"say \"\"x\"\"\n\",1.5\np|q,true\n");
  EXPECT_EQ(markdown(rows, true), "| a,b | c |\n| --- | ---: |\n| say \"x\"\\n | 1.5 |\n| p\\|q | true |\n");
}

TEST(Times, DurationsCountBackDatesAreLocal) {
  const std::int64_t now = 1'764'000'000'000'000;
  EXPECT_EQ(parse_time("2d", now), now - 2 * 86'400'000'000);
  EXPECT_EQ(parse_time("2025-11-24T16:00:00Z", 0), now);
  EXPECT_EQ(parse_duration("30s"), 30'000'000);
  EXPECT_THROW(parse_time("yesterday", now), diopter::base::UserError);
  EXPECT_THROW(parse_time("99999999999999d", now), diopter::base::UserError);
  EXPECT_THROW(parse_duration("3"), diopter::base::UserError);
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
}

}  // namespace
