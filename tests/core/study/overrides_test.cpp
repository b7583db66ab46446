// Overrides of the command line, and how messages speak of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/study/toy_kinds.hpp"

namespace diopter::study {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Study with(std::vector<std::string> overrides) { return toys::study_of(toys::sound_manifest(), std::move(overrides)); }
std::string override_mistakes(std::vector<std::string> overrides) {
  return toys::problems_of(toys::sound_manifest(), std::move(overrides));
}

TEST(Overrides, BareWordsAreStrings) {
  EXPECT_EQ(with({"model.source=EleutherAI/pythia-410m@step3000"}).runs[0].model->source,
            "EleutherAI/pythia-410m@step3000");
  EXPECT_EQ(with({"model.source=gpt2"}).runs[0].model->source, "gpt2");
  EXPECT_EQ(with({"run.steer.label=2024-01-01"}).runs[1].param("label")->json, "2024-01-01");
  EXPECT_EQ(with({"model.source=/models/it's here"}).runs[0].model->path, "/models/it's here");
}

TEST(Overrides, ValuesAreToml) {
  const Study study = with(
      {"run.resid.metrics=[\"kl_to_clean\"]", "run.steer.top_k=3", "run.steer.rate = -0.5", "execution.strict=true"});
  EXPECT_THAT(std::get<Metrics>(study.runs[0].param("metrics")->value).names, ElementsAre("kl_to_clean"));
  EXPECT_EQ(study.runs[1].param("top_k")->json, 3);
  EXPECT_EQ(study.runs[1].param("rate")->json, -0.5);
  EXPECT_TRUE(study.execution.strict);
  EXPECT_EQ(study.runs[0].param("metrics")->span, (SourceSpan{"override 1", 1, 19, 15, 1}));
}

TEST(Overrides, RunsGoByIdOrNumberAndTablesAreMade) {
  EXPECT_EQ(with({"run.2.top_k=4"}).runs[1].param("top_k")->json, 4);
  EXPECT_EQ(with({"run.steer.edit.1.coefficient=9"}).runs[1].edits[0].coefficients.at(0), 9);
  EXPECT_EQ(with({"run.steer.model.source=gpt2"}).runs[1].model->source, "gpt2");
  EXPECT_EQ(with({"run.\"steer\".top_k=5"}).runs[1].param("top_k")->json, 5);
  EXPECT_EQ(with({"expect.1.within=2"}).expectations[0].within, 2);
}

TEST(Overrides, LaterOnesWin) {
  EXPECT_EQ(with({"run.steer.top_k=3", "run.steer.top_k=4"}).runs[1].param("top_k")->json, 4);
}

TEST(Overrides, MessagesPointIntoTheOverride) {
  EXPECT_EQ(override_mistakes({"run.steer.top_k=0", "modle.source=gpt2"}),
            "override 1: error: 'top_k' is 0, which is outside [1, 100]\n"
            "      | run.steer.top_k=0\n      |                 ^\n"
            "override 2: error: unknown key 'modle' in the manifest (did you mean 'model'?)\n"
            "      | modle.source=gpt2\n      | ^~~~~~~~~~~~\n2 errors; nothing was run.\n");
}

TEST(Overrides, Mistakes) {
  for (const auto* text : {"model.source", "=3", "model.source=", ".x=1", "a..b=1", "a.\"b=1", ""}) {
    EXPECT_THAT(override_mistakes({text}), HasSubstr("an override is written KEY=VALUE, for example model.source=gpt2"))
        << text;
  }
  EXPECT_THAT(override_mistakes({"run.resd.site=z"}),
              HasSubstr("override 1: error: no run has the id 'resd' (did you mean 'resid'?)"));
  EXPECT_THAT(override_mistakes({"run.9.site=z"}), HasSubstr("no run has the id '9'"));
  EXPECT_THAT(override_mistakes({"model.source.x=1"}), HasSubstr("'source' is a string, so it has no 'x'"));
  EXPECT_THAT(override_mistakes({"run.resid.metrics=[\"a\""}), HasSubstr("override 1: error: not valid TOML"));
  EXPECT_THAT(override_mistakes({std::string("a=\xff")}), HasSubstr("override 1: error: is not UTF-8 text"));
}

}  // namespace
}  // namespace diopter::study
