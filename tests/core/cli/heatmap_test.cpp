// The map on a terminal: what it looks like with and without colour.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cli/heatmap.hpp"

namespace {

using diopter::cli::draw_heatmap;
using diopter::cli::HeatmapData;
using diopter::cli::HeatmapOptions;
using diopter::report::Axis;

HeatmapData small() {
  HeatmapData data;
  data.title = "effect (0 = corrupted, 1 = clean restored)";
  data.rows = Axis{"layer", 2, {}, {}, {}};
  data.columns = Axis{"pos",
                      3,
                      {"<|endoftext|>", " John",
                       "\xE2\x80\xAE"
                       "x"},
                      {1, 2, 3},
                      {}};
  data.values = {0.004, -0.005, 1, std::numeric_limits<double>::quiet_NaN(), 0.5, -INFINITY};
  data.centre = 0;
  return data;
}

TEST(Heatmap, PlainNumbersHideWhatRoundsToNothing) {
  EXPECT_EQ(draw_heatmap(small(), {}),
            "  effect (0 = corrupted, 1 = clean restored)\n"
            "           0     1       2\n"
            "     <|end..  John \\u{20..\n"
            "  L1     NaN  0.50    -inf\n"
            "  L0       . -0.01    1.00\n"
            "  scale -1 to 1; . = less than 0.005\n");
}

TEST(Heatmap, FirstRowOnTopWhenAsked) {
  HeatmapOptions options;
  options.first_row_last = false;
  const std::string text = draw_heatmap(small(), options);
  EXPECT_LT(text.find("L0"), text.find("L1"));
}

TEST(Heatmap, SmallNumbersGetMoreDecimals) {
  HeatmapData data = small();
  data.columns = Axis{"head", 3, {}, {}, {}};
  data.values = {0.0123, -0.0004, 0.05, 0.01, 0.02, 0.03};
  data.title.clear();
  EXPECT_EQ(draw_heatmap(data, {}),
            "         0     1     2\n"
            "  L1 0.010 0.020 0.030\n"
            "  L0 0.012     . 0.050\n"
            "  scale -0.05 to 0.05; . = less than 0.0005\n");
}

TEST(Heatmap, TrueColourPaintsBluePositiveRedNegativeWhiteNothing) {
  HeatmapData data = small();
  data.columns = Axis{"pos", 3, {}, {}, {}};
  data.rows.size = 1;
  data.values = {1, -1, 0};
  HeatmapOptions options;
  options.colour = options.true_colour = true;
  const std::string text = draw_heatmap(data, options);
  EXPECT_NE(text.find("\x1b[48;2;5;48;97m\x1b[38;2;255;255;255m 1.00\x1b[0m"), std::string::npos) << text;
  EXPECT_NE(text.find("\x1b[48;2;103;0;31m\x1b[38;2;255;255;255m -1.00\x1b[0m"), std::string::npos) << text;
  EXPECT_NE(text.find("\x1b[48;2;255;255;255m\x1b[38;2;0;0;0m    .\x1b[0m"), std::string::npos) << text;
  options.true_colour = false;
  EXPECT_NE(draw_heatmap(data, options).find("\x1b[48;5;"), std::string::npos);
}

TEST(Heatmap, WideMapsBecomeDigitsOrHalfBlocks) {
  HeatmapData data;
  data.rows = Axis{"layer", 2, {}, {}, {}};
  data.columns = Axis{"pos", 40, {}, {}, {}};
  for (int i = 0; i < 80; ++i) data.values.push_back(i % 10 - 4.5);
  HeatmapOptions options;
  options.width = 90;
  const std::string digits = draw_heatmap(data, options);
  EXPECT_EQ(digits,
            "     0                   10                  20                  30\n"
            "  L1 -9-7-5-3-1 1 3 5 7 9-9-7-5-3-1 1 3 5 7 9-9-7-5-3-1 1 3 5 7 9-9-7-5-3-1 1 3 5 7 9\n"
            "  L0 -9-7-5-3-1 1 3 5 7 9-9-7-5-3-1 1 3 5 7 9-9-7-5-3-1 1 3 5 7 9-9-7-5-3-1 1 3 5 7 9\n"
            "  scale -4.5 to 4.5; 9 = 4.5, . = less than 0.25\n");
  options.colour = options.true_colour = true;
  const std::string blocks = draw_heatmap(data, options);
  std::size_t count = 0;
  for (std::size_t at = blocks.find("▀"); at != std::string::npos; at = blocks.find("▀", at + 1)) ++count;
  EXPECT_EQ(count, 40u);
}

}  // namespace
