// [[run.edit]].
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/study/toy_kinds.hpp"

namespace diopter::study {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> edit_mistakes(const std::string& lines) {
  return toys::messages_of(toys::manifest_with("[[run.edit]]\n" + lines));
}

TEST(Edit, Mistakes) {
  EXPECT_THAT(edit_mistakes(""),
              ElementsAre("[[run.edit]] needs the key 'op'; for example op = \"zero\"",
                          "[[run.edit]] needs the key 'hook'; for example hook = \"blocks.8.hook_resid_post\""));
  EXPECT_THAT(
      edit_mistakes("op = \"replce\"\nhook = \"x\""),
      ElementsAre("'op' of [[run.edit]] is 'replce', which is not one of its choices (did you mean 'replace'?)"));
  EXPECT_THAT(edit_mistakes("op = \"replace\"\nhook = \"x\""),
              ElementsAre("[[run.edit]] with op = \"replace\" needs a 'value'; for example value = \"clean\""));
  EXPECT_THAT(edit_mistakes("op = \"zero\"\nhook = \"x\"\nvalue = \"clean\"\ncoefficient = 2"),
              ElementsAre("op = \"zero\" takes no 'value'", "op = \"zero\" takes no 'coefficient'"));
  EXPECT_THAT(edit_mistakes("op = \"scale\"\nhook = \"x\""),
              ElementsAre("[[run.edit]] with op = \"scale\" needs a 'coefficient'"));
  EXPECT_THAT(edit_mistakes("op = \"mean\"\nhook = \"x\"\nvalue = 3"),
              ElementsAre("'value' is 3, but the mean is taken over \"clean\" or \"corrupted\""));
  EXPECT_THAT(edit_mistakes("op = \"zero\"\nhook = 3\nheads = [12]\npositions = \"lst\"\nhead = 1"),
              ElementsAre("'hook' is 3, which is a whole number, not a hook name or glob",
                          "head 12 is out of range: gpt2 has heads 0..11",
                          "'lst' does not name positions (did you mean 'last'?)",
                          "unknown key 'head' in [[run.edit]] (did you mean 'heads'?)"));
  EXPECT_THAT(edit_mistakes("op = \"add\"\nhook = \"x\"\nvalue = \"@vec/vector[layer=8]\""),
              ElementsAre("'value' is \"@vec/vector[layer=8]\", which is an output of a run; only data sets (for "
                          "prompts) can be taken from runs, others are "
                          "not yet in this version"));
}

TEST(Edit, OnlyForKindsThatTakeThem) {
  EXPECT_THAT(
      toys::messages_of(toys::manifest_with("kind = \"make_corpus\"\n[[run.edit]]\nop = \"zero\"\nhook = \"x\"")),
      ElementsAre("kind 'make_corpus' takes no [[run.edit]]"));
}

TEST(Edit, ReadInFull) {
  toys::Folder folder;
  const std::string file = folder.write("v.safetensors", "x").string();
  const Study study = toys::study_of(
      toys::manifest_with("[[run.edit]]\nop = \"add\"\nhook = [\"blocks.8.hook_resid_post\"]\nvalue = \"" + file +
                          "\"\ncoefficient = { range = { from = 0, to = 2 } }\npositions = [-2]\nheads = -1\n"
                          "[[run.edit]]\nop = \"mean\"\nhook = \"blocks.*.hook_mlp_out\"\n"));
  const auto& edits = study.runs[0].edits;
  ASSERT_EQ(edits.size(), 2u);
  EXPECT_EQ(edits[0].value, Edit::Value::File);
  EXPECT_EQ(edits[0].file.path, file);
  EXPECT_THAT(edits[0].coefficients, ElementsAre(0, 1, 2));
  EXPECT_THAT(edits[0].heads, ElementsAre(11));
  EXPECT_EQ(edits[1].value, Edit::Value::Clean);
  EXPECT_EQ(base::canonical_json(to_json(edits[1])),
            R"({"hook":"blocks.*.hook_mlp_out","op":"mean","positions":"all","value":"clean"})");
}

TEST(Edit, AValueMayBeANumber) {
  const Study study = toys::study_of(
      toys::manifest_with("[[run.edit]]\nop = \"replace\"\nhook = \"blocks.8.hook_resid_post\"\nvalue = 2\n"));
  EXPECT_EQ(study.runs[0].edits[0].value, Edit::Value::Number);
  EXPECT_EQ(base::canonical_json(to_json(study.runs[0].edits[0])),
            R"({"hook":"blocks.8.hook_resid_post","op":"replace","positions":"all","value":2.0})");
}

}  // namespace
}  // namespace diopter::study
