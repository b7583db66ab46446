// The plugin's objects are linked into this test, so its descriptor and its formulas can be looked at without a host.
#include <gtest/gtest.h>
#include <diopter/plugin.hpp>

#include <string>

extern "C" const diopter_plugin diopter_entry;

TEST(MyLens, DeclaresItsOutputs) {
  ASSERT_EQ(diopter_entry.kind_count, 1u);
  const diopter_kind& kind = diopter_entry.kinds[0];
  EXPECT_EQ(std::string(kind.name), "my_logit_lens");
  ASSERT_EQ(kind.output_count, 3u);
  EXPECT_EQ(std::string(kind.outputs[0].dims), "prompt layer pos");
}
