// Ids, needs, stages, and outputs that other runs or reports name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/study/toy_kinds.hpp"

namespace diopter::study {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kHead = "schema = 1\n[experiment]\nname = \"t\"\n[model]\nsource = \"gpt2\"\n";

std::string run(const std::string& id, const std::string& lines = "", const std::string& kind = "everything") {
  return "[[run]]\nid = \"" + id + "\"\nkind = \"" + kind + "\"\n" + lines + "\n";
}

std::vector<std::string> order_mistakes(const std::string& runs) { return toys::messages_of(kHead + runs); }

TEST(Order, StagesFollowNeedsNotTheFile) {
  const Study study =
      toys::study_of(kHead + run("a", "needs = [\"c\", \"b\"]") + run("b", "needs = [\"c\"]") + run("c") + run("d"));
  EXPECT_EQ(study.run("a")->stage, 2);
  EXPECT_EQ(study.run("b")->stage, 1);
  EXPECT_EQ(study.run("c")->stage, 0);
  std::vector<std::string> ids;
  for (const auto* r : study.in_order()) ids.push_back(r->id);
  EXPECT_THAT(ids, ElementsAre("c", "d", "b", "a"));
}

TEST(Order, LongChainsDoNotOverflowTheStack) {
  std::string runs;
  for (int i = 0; i < 3000; ++i)
    runs += run("r" + std::to_string(i), i < 2999 ? "needs = [\"r" + std::to_string(i + 1) + "\"]" : "");
  EXPECT_EQ(toys::study_of(kHead + runs).run("r0")->stage, 2999);
}

TEST(Order, Mistakes) {
  EXPECT_THAT(order_mistakes(run("a", "needs = [\"b\"]") + run("c")),
              ElementsAre("no run has the id 'b' (did you mean 'a' or 'c'?)"));
  EXPECT_THAT(order_mistakes(run("a", "needs = [\"a\"]")), ElementsAre("run 'a' needs itself"));
  EXPECT_THAT(order_mistakes(run("a", "needs = [\"b\"]") + run("b", "needs = [\"c\"]") + run("c", "needs = [\"a\"]")),
              ElementsAre("runs need each other: a -> b -> c -> a"));
  EXPECT_THAT(order_mistakes(run("a") + run("a")), ElementsAre("the id 'a' is taken by the run in line 6"));
  EXPECT_THAT(order_mistakes("[[run]]\nkind = \"everything\"\n[[run]]\nkind = \"everything\"\n"),
              ElementsAre("the id 'everything' is taken by the run in line 6; give this one an id"));
  EXPECT_THAT(order_mistakes(run("a/b")), ElementsAre("'a/b' cannot be an id; use letters, digits, _ and -"));
  EXPECT_THAT(order_mistakes("[[run]]\nid = \"a\"\n"),
              ElementsAre("[[run]] needs the key 'kind'; for example kind = \"patching\""));
  EXPECT_THAT(order_mistakes("[[run]]\nkind = \"everythin\"\n"),
              ElementsAre("no plugin offers kind 'everythin' (did you mean 'everything'?)"));
  EXPECT_THAT(order_mistakes(run("a", "needs = \"b\"")),
              ElementsAre("'needs' of [[run]] is \"b\", which is a string, not a list of strings"));
  EXPECT_THAT(order_mistakes(run("a", "seed = -1")), ElementsAre("'seed' of [[run]] is -1, which is below 0"));
}

TEST(DataSets, OfOtherRuns) {
  const std::string corpus = run("corpus", "", "make_corpus");
  EXPECT_THAT(order_mistakes(corpus + run("t", "needs = [\"corpus\"]\ndata = \"@corpus/documents\"", "train_lm")),
              IsEmpty());
  EXPECT_THAT(order_mistakes(corpus + run("e", "needs = [\"corpus\"]\nprompts = \"@corpus/documents\"")), IsEmpty());
  EXPECT_THAT(order_mistakes(corpus + run("t", "data = \"@corpus/documents\"", "train_lm")),
              ElementsAre("run 't' reads '@corpus/documents' but does not need 'corpus'; add needs = [\"corpus\"]"));
  EXPECT_THAT(order_mistakes(corpus + run("t", "needs = [\"corpus\"]\ndata = \"@corpus/docments\"", "train_lm")),
              ElementsAre("run 'corpus' (kind 'make_corpus') has no output 'docments' (did you mean 'documents'?)"));
  EXPECT_THAT(order_mistakes(corpus + run("t", "needs = [\"corpus\"]\ndata = \"@corpus/model\"", "train_lm")),
              ElementsAre("'@corpus/model' is a model, but prompts need a data set"));
  EXPECT_THAT(order_mistakes(run("t", "data = \"@corpus/documents\"", "train_lm")),
              ElementsAre("no run has the id 'corpus' (known: t)"));
  EXPECT_THAT(order_mistakes(corpus + run("t", "needs = [\"corpus\"]\ndata = \"@corpus\"", "train_lm")),
              ElementsAre("'@corpus' does not name the output of a run; write \"@RUN/OUTPUT\""));
  EXPECT_THAT(order_mistakes(corpus + run("t", "needs = [\"corpus\"]\ndata = \"@corpus/documents[x=1]\"", "train_lm")),
              ElementsAre("a part of a data set ('@corpus/documents[x=1]') is not yet in this version"));
  EXPECT_THAT(order_mistakes(run("t", "data = \"docs\"", "train_lm")), ElementsAre("there is no prompt set 'docs'"));
}

}  // namespace
}  // namespace diopter::study
