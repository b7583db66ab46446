// [[expect]]: what can be expected, and when it holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/study/toy_kinds.hpp"
#include "study/expect.hpp"

namespace diopter::study {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> expect_mistakes(const std::string& lines) {
  return toys::messages_of(toys::manifest_with("id = \"r\"", lines));
}
std::string expect(const std::string& of, const std::string& rest = "is = 1\nwithin = 0.1") {
  return "[[expect]]\nof = \"" + of + "\"\n" + rest;
}

TEST(Expect, WhatItNamesMustExist) {
  EXPECT_THAT(expect_mistakes(expect("r/loss")), IsEmpty());
  EXPECT_THAT(expect_mistakes(expect("r/scores[layer=0,head=-1]")), IsEmpty());
  EXPECT_THAT(expect_mistakes(expect("q/loss")), ElementsAre("no run has the id 'q' (did you mean 'r'?)"));
  EXPECT_THAT(expect_mistakes(expect("r/los")),
              ElementsAre("run 'r' (kind 'everything') has no output 'los' (did you mean 'loss'?)"));
  EXPECT_THAT(expect_mistakes(expect("r/loss[layer=0]")),
              ElementsAre("'loss' is a metric, one number; remove the brackets"));
  EXPECT_THAT(expect_mistakes(expect("r/scores")),
              ElementsAre("'scores' has the dimensions layer head; say which cell: \"r/scores[layer=0,head=0]\""));
  EXPECT_THAT(expect_mistakes(expect("r/scores[layer=0]")),
              ElementsAre("'scores' has the dimensions layer head; say which cell: \"r/scores[layer=0,head=0]\""));
  EXPECT_THAT(expect_mistakes(expect("r/scores[layr=0,head=0]")),
              ElementsAre("'scores' has no dimension 'layr' (did you mean 'layer'?)"));
  for (const auto* bad : {"loss", "r/", "/loss", "r/a/b", "r/scores[", "r/scores[]", "r/scores[layer]",
                          "r/scores[layer=0,layer=1]", "r/scores[layer=0]x"}) {
    EXPECT_THAT(expect_mistakes(expect(bad)),
                ElementsAre(std::string("\"") + bad +
                            "\" does not name an output; write \"RUN/OUTPUT\" or \"RUN/OUTPUT[layer=0,pos=-1]\""));
  }
}

TEST(Expect, KeysAreChecked) {
  EXPECT_THAT(expect_mistakes(expect("r/loss", "")),
              ElementsAre("[[expect]] needs the key 'is'; for example is = 4.276",
                          "[[expect]] needs the key 'within'; for example within = 1e-3"));
  EXPECT_THAT(expect_mistakes(expect("r/loss", "is = nan\nwithin = -1")),
              ElementsAre("'is' of [[expect]] is nan, which is not a finite number",
                          "'within' of [[expect]] is -1, which is below 0"));
  EXPECT_THAT(expect_mistakes(expect("r/loss", "is = 1\nwithin = 1\nwhen = 3")),
              ElementsAre("'when' is a whole number, not a table; for example { \"model.source\" = \"gpt2\" }"));
  EXPECT_THAT(expect_mistakes(expect("r/loss", "is = 1\nwithin = 1\nwhen = { \"model.sorce\" = \"gpt2\" }")),
              ElementsAre("'when' asks for 'model.sorce', which run 'r' does not have (did you mean 'model.source'?)"));
}

TEST(Expect, HoldsWithinTheTolerance) {
  Expectation e;
  e.of = {"r", "loss", {}, "r/loss"};
  e.is = 4.276;
  e.within = 1e-3;
  e.when = {{"model.source", "gpt2"}};
  const base::Json config = {{"model", {{"source", "gpt2"}}}};
  const auto with = [&](std::optional<double> value) {
    return evaluate(e, config, [&](const OutputRef&) { return value; });
  };
  EXPECT_EQ(with(4.2765).status, Outcome::Status::Held);
  EXPECT_EQ(with(4.2765).sentence, "r/loss is 4.2765, expected 4.276 within 0.001");
  EXPECT_EQ(with(4.3).status, Outcome::Status::Missed);
  EXPECT_EQ(with(4.3).sentence, "r/loss is 4.3, expected 4.276 within 0.001 (off by 0.024)");
  EXPECT_EQ(with(std::nan("")).status, Outcome::Status::Missed);
  EXPECT_EQ(with(std::nullopt).status, Outcome::Status::Absent);
  EXPECT_EQ(with(std::nullopt).sentence, "r/loss is not there, expected 4.276 within 0.001");
  const auto other = evaluate(e, {{"model", {{"source", "organism"}}}}, [](const OutputRef&) { return std::nullopt; });
  EXPECT_EQ(other.status, Outcome::Status::NotAsked);
  EXPECT_EQ(other.sentence, "r/loss is not asked for: model.source is \"organism\"");
}

TEST(Expect, SelectorsAreNumbersOrLabels) {
  const Study study = toys::study_of(toys::manifest_with("id = \"r\"", expect("r/scores[layer=-1, head=L3H1]")));
  const auto& cell = study.expectations[0].of.cell;
  ASSERT_EQ(cell.size(), 2u);
  EXPECT_EQ(cell[0], (OutputRef::Selector{"layer", std::int64_t{-1}}));
  EXPECT_EQ(cell[1], (OutputRef::Selector{"head", std::string("L3H1")}));
}

TEST(Report, FiguresAreChecked) {
  EXPECT_THAT(
      expect_mistakes(
          "[[report]]\n[[report.figure]]\nof = \"r/scores\"\nas = \"heatmp\"\ncentre = \"x\"\nfacets = \"layer\"\n"),
      ElementsAre("'as' of [[report.figure]] is 'heatmp', which is not one of its choices (did you mean 'heatmap'?)",
                  "'centre' of [[report.figure]] is \"x\", which is a string, not a number",
                  "unknown key 'facets' in [[report.figure]] (did you mean 'facet'?)"));
  EXPECT_THAT(expect_mistakes("[report]\nfile = \"a.html\"\n"),
              ElementsAre("'report' is a list of tables; write [[report]], not [report]"));
  EXPECT_THAT(
      toys::messages_of(toys::manifest_with("kind = \"make_corpus\"\nid = \"r\"",
                                            "[[report]]\n[[report.figure]]\nof = \"r/model\"\nas = \"table\"\n")),
      ElementsAre("'r/model' is a model, which cannot be drawn"));
}

}  // namespace
}  // namespace diopter::study
