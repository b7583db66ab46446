// Stop strings and characters that tokens cut, against a search of the whole text.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.hpp"
#include "engine/text_stream.hpp"

namespace diopter::engine {
namespace {

// The text before the stop string that ends first, of several the longest.
std::string cut_by_search(const std::string& text, const std::vector<std::string>& stops) {
  std::size_t least_end = text.size() + 1, begin = text.size();
  for (const std::string& stop : stops) {
    const std::size_t at = text.find(stop);
    if (at == std::string::npos || at + stop.size() > least_end) continue;
    if (at + stop.size() < least_end || at < begin) begin = at;
    least_end = at + stop.size();
  }
  return base::replace_invalid_utf8(text.substr(0, begin));
}

std::string streamed(const std::string& text, const std::vector<std::string>& stops, std::mt19937& random,
                     bool* whole_characters) {
  TextStream stream(stops);
  std::string out;
  for (std::size_t at = 0; at < text.size() && !stream.stopped();) {
    const std::size_t count = std::min<std::size_t>(text.size() - at, 1 + random() % 4);
    const std::string piece = stream.add(std::string_view(text).substr(at, count));
    *whole_characters = *whole_characters && !base::invalid_utf8_offset(piece);
    out += piece;
    at += count;
  }
  return out + stream.finish();
}

std::string random_text(std::mt19937& random, const std::vector<std::string>& letters, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += letters[random() % letters.size()];
  return text;
}

TEST(TextStream, CutsWhereASearchOfTheWholeTextCuts) {
  std::mt19937 random(7);
  const std::vector<std::string> letters = {"a", "b", "é", "😀", "\n"};
  int stopped = 0, several = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::string> stops;
    for (unsigned i = random() % 4; i > 0; --i) stops.push_back(random_text(random, letters, 1 + random() % 4));
    const std::string text = random_text(random, letters, random() % 24);
    bool whole_characters = true;
    const std::string expected = cut_by_search(text, stops);
    ASSERT_EQ(streamed(text, stops, random, &whole_characters), expected) << text;
    EXPECT_TRUE(whole_characters);
    stopped += expected != text;
    several += expected != text && stops.size() > 1;
  }
  EXPECT_GT(stopped, 5000);
  EXPECT_GT(several, 2000);
}

TEST(TextStream, ArbitraryBytesBecomeTheSameTextHoweverTheyAreSplit) {
  std::mt19937 random(8);
  const std::vector<std::string> bytes = {"a",    "\x80", "\xBF", "\xC3", "\xE0", "\xA0", "\xED",
                                          "\x9F", "\xF0", "\x90", "\xF4", "\xF5", "é",    "😀"};
  for (int round = 0; round < 50000; ++round) {
    const std::string text = random_text(random, bytes, random() % 12);
    bool whole_characters = true;
    ASSERT_EQ(streamed(text, {}, random, &whole_characters), base::replace_invalid_utf8(text));
    ASSERT_TRUE(whole_characters);
  }
}

TEST(TextStream, AStopThatEndsEarlierWinsAndItsTextIsHeldBack) {
  const std::vector<std::string> stops = {"abc", "b"};
  TextStream stream(stops);
  EXPECT_EQ(stream.add("xabc"), "xa");
  EXPECT_TRUE(stream.stopped());
  const std::vector<std::string> end = {"\n\n"};
  TextStream held(end);
  EXPECT_EQ(held.add("one\n"), "one");
  EXPECT_EQ(held.add("two"), "\ntwo");
  EXPECT_EQ(held.add("\n"), "");
  EXPECT_EQ(held.finish(), "\n");
}

}  // namespace
}  // namespace diopter::engine
