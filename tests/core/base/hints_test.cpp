#include "base/hints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace diopter::base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Hints, DistanceCountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("ab", "ba"), 1u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);  // optimal string alignment, not full Damerau: that would be 2
  EXPECT_EQ(edit_distance("Logit-Lens", "logit_lens"), 0u);
}

TEST(Hints, NearestKeepsToTheLimit) {
  const std::vector<std::string> known = {"patching", "logit_lens", "steering", "induction", "attribution"};
  EXPECT_THAT(nearest("patchign", known), ElementsAre("patching"));
  EXPECT_THAT(nearest("steer", known), IsEmpty());  // three missing letters, limit 1
  EXPECT_THAT(nearest("xyz", {"xy", "xyzz", "abc"}), ElementsAre("xy", "xyzz"));
  EXPECT_THAT(nearest("q_proj", {"k_proj", "v_proj", "o_proj", "q_projs"}), ElementsAre("k_proj", "o_proj", "q_projs"));
}

TEST(Hints, DidYouMean) {
  EXPECT_EQ(did_you_mean("patchign", {"patching", "steering"}), " (did you mean 'patching'?)");
  EXPECT_EQ(did_you_mean("xyz", {"xy", "xyzz"}), " (did you mean 'xy' or 'xyzz'?)");
  EXPECT_EQ(did_you_mean("nothing", {"a", "b"}), " (known: a, b)");
  EXPECT_EQ(did_you_mean("nothing", {}), "");
  const std::vector<std::string> many(13, "name");
  EXPECT_EQ(did_you_mean("x", many), "");
  EXPECT_EQ(did_you_mean("x", many, "diopter hooks"), " ('diopter hooks' lists them)");
}

TEST(Hints, Join) {
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"a"}), "a");
  EXPECT_EQ(join({"a", "b"}), "a and b");
  EXPECT_EQ(join({"a", "b", "c"}, "or"), "a, b or c");
}

RC_GTEST_PROP(Hints, DistanceIsSymmetricAndZeroOnlyForEquals, ()) {
  const auto word = rc::gen::container<std::string>(rc::gen::inRange('a', 'e'));
  const std::string a = *word, b = *word;
  RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
  RC_ASSERT((edit_distance(a, b) == 0) == (a == b));
  RC_ASSERT(edit_distance(a, b) <= std::max(a.size(), b.size()));
}

}  // namespace
}  // namespace diopter::base
