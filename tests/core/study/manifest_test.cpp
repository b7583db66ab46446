// A sound manifest, read; and what is said about files that are no manifests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/study/toy_kinds.hpp"

namespace diopter::study {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Manifest, SoundOneIsReadInFull) {
  const Study study = toys::study_of(toys::sound_manifest());
  EXPECT_EQ(study.experiment.name, "ioi-patching");
  EXPECT_THAT(study.experiment.tags, ElementsAre("ioi", "patching"));
  ASSERT_EQ(study.runs.size(), 4u);
  const auto& resid = study.runs[0];
  EXPECT_EQ(resid.kind, &toys::patching());
  EXPECT_EQ(resid.model->source, "organism");
  EXPECT_FALSE(resid.model->path.has_value());
  EXPECT_EQ(resid.prompts->set->rows.size(), 2u);
  EXPECT_EQ(std::get<std::string>(resid.param("direction")->value), "denoise");
  EXPECT_THAT(std::get<std::vector<std::int64_t>>(resid.param("layers")->value), ElementsAre(0, 1, 2, 3));
  EXPECT_FALSE(resid.param("layers")->given);
  const auto& metrics = std::get<Metrics>(resid.param("metrics")->value);
  EXPECT_THAT(metrics.names, ElementsAre("logit_diff", "prob"));
  EXPECT_TRUE(metrics.normalise);
  EXPECT_EQ(metrics.at.terms[0].indices, std::vector<std::int64_t>{-1});
  EXPECT_DOUBLE_EQ(metrics.min_gap, 0.1);

  const auto& steer = study.runs[1];
  EXPECT_EQ(steer.seed, 7);
  EXPECT_THAT(std::get<std::vector<double>>(steer.param("coefficients")->value),
              ElementsAre(-8, -6, -4, -2, 0, 2, 4, 6, 8));
  EXPECT_THAT(std::get<std::vector<std::int64_t>>(steer.param("heads")->value), ElementsAre(0, 3))
      << "-1 is the last of 4";
  ASSERT_EQ(steer.edits.size(), 1u);
  EXPECT_THAT(steer.edits[0].coefficients, ElementsAre(1, 2.5));
  EXPECT_TRUE(steer.edits[0].sweeps);

  EXPECT_FALSE(study.runs[2].model.has_value()) << "a kind that trains has no model";
  EXPECT_EQ(std::get<PromptsRef>(study.runs[3].param("data")->value).run, "corpus");
  EXPECT_EQ(study.execution.memory_budget, 8'000'000'000);
  EXPECT_EQ(study.execution.timeout, 7200.0);
  EXPECT_EQ(study.execution.on_error, OnError::Stop);
  EXPECT_EQ(study.expectations.size(), 2u);
  EXPECT_EQ(study.reports.at(0).figures.at(0).as, "heatmap");
}

TEST(Manifest, EveryValueKeepsItsPlace) {
  const Study study = toys::study_of(toys::sound_manifest());
  const auto& resid = study.runs[0];
  EXPECT_EQ(resid.span, (SourceSpan{"m.toml", 28, 1, 7, 0}));
  EXPECT_EQ(resid.where("site"), (SourceSpan{"m.toml", 32, 13, 11, 0}));
  EXPECT_EQ(resid.param("metrics")->key_span, (SourceSpan{"m.toml", 35, 1, 7, 0}));
  EXPECT_EQ(resid.param("metrics")->element_spans.at(1), (SourceSpan{"m.toml", 35, 28, 6, 0}));
  EXPECT_EQ(resid.param("layers")->span, resid.span) << "a default stands nowhere: the run's header";
  const PromptRow& row = resid.prompts->set->rows[0];
  EXPECT_EQ(row.find("answer")->span, (SourceSpan{"m.toml", 16, 13, 7, 0}));
  EXPECT_EQ(study.runs[1].edits[0].spans.at("hook"), (SourceSpan{"m.toml", 49, 10, 26, 0}));
}

TEST(Manifest, RunsMayHaveTheirOwnModel) {
  const Study study = toys::study_of(toys::manifest_with("model = { source = \"./tiny\", bos = \"never\" }"));
  EXPECT_EQ(study.runs[0].model->bos, "never");
  EXPECT_EQ(study.runs[0].model->path, study.folder / "tiny");
}

TEST(Manifest, TopLevelMistakes) {
  EXPECT_THAT(toys::messages_of(""), ElementsAre("the manifest does not say its schema; add schema = 1",
                                                 "the manifest needs [experiment] with a name",
                                                 "the manifest has no [[run]], so there is nothing to do"));
  EXPECT_THAT(toys::messages_of("schema = 1\nexperiment = 3\nrun = 4\nmodel = []\nprompts = 1\nexecution = true\n"),
              ElementsAre("'experiment' is a whole number, not a table; write [experiment]",
                          "'run' is a whole number, not a list of [[run]] tables",
                          "'model' is a list, not a table; write [model]",
                          "'prompts' is a whole number, not a table; write [prompts.NAME]",
                          "'execution' is true or false, not a table; write [execution]"));
  EXPECT_THAT(toys::messages_of("schema = 1\n[experiment]\nname = \"a\"\n[run]\nkind = \"patching\"\n"),
              ElementsAre("'run' is a list of tables; write [[run]], not [run]"));
  EXPECT_THAT(toys::messages_of("schema = 1\n[experiment]\nname = \"a\"\n[[run]]\nkind = \"everything\"\n"),
              ElementsAre("run 'everything' needs a model; add [model] with source = \"organism\""));
  EXPECT_THAT(toys::messages_of("schema = 1\n[experiment]\nname = \"a\"\n[model]\n[[run]]\nkind = \"everything\"\n"),
              ElementsAre("[model] needs the key 'source'; for example source = \"organism\""));
  EXPECT_THAT(toys::messages_of(toys::manifest_with("", "[execution]\njbos = 2\n[modle]\n")),
              ElementsAre("unknown key 'jbos' in [execution] (did you mean 'jobs'?)",
                          "unknown key 'modle' in the manifest (did you mean 'model'?)"));
}

TEST(Manifest, ModelMistakes) {
  const std::string head = "schema = 1\n[experiment]\nname = \"a\"\n[model]\nsource = \"gpt2\"\n";
  const std::string tail = "[[run]]\nkind = \"everything\"\n";
  EXPECT_THAT(
      toys::messages_of(
          head + "device = \"gpu\"\nbos = \"no\"\ntransforms = [\"fold_nl\", \"fold_ln\", \"fold_ln\"]\ncompute = 3\n" +
          tail),
      ElementsAre("'device' of [model] is 'gpu', which is not a device (known: auto, cpu, cuda, cuda:0)",
                  "'bos' of [model] is 'no', which is not one of its choices (known: family, always, never)",
                  "'fold_nl' is not a transform (did you mean 'fold_ln'?)", "the transform 'fold_ln' is there twice",
                  "'compute' of [model] is 3, which is a whole number, not a string"));
  EXPECT_THAT(toys::messages_of(toys::manifest_with("model = { source = \"@train/model\" }")),
              ElementsAre("a model that a run makes ('@train/model') is not yet in this version"));
  EXPECT_THAT(toys::messages_of(toys::manifest_with("kind = \"make_corpus\"\nmodel = { source = \"gpt2\" }")),
              ElementsAre("kind 'make_corpus' makes its own weights; remove 'model'"));
}

TEST(Manifest, WhatComesLaterIsRefusedAtItsPlace) {
  EXPECT_THAT(
      toys::messages_of(
          toys::manifest_with("match = [\"x\"]\n[[run.axis]]\nkey = \"seed\"\n[[run.exclude]]\n[[run.include]]\n")),
      ElementsAre("'match' of [[run]] is not yet in this version", "'axis' of [[run]] is not yet in this version",
                  "'exclude' of [[run]] is not yet in this version",
                  "'include' of [[run]] is not yet in this version"));
  EXPECT_THAT(toys::messages_of(toys::manifest_with("vector = \"@a/b[layer=8]\"")),
              ElementsAre("'vector' is \"@a/b[layer=8]\", which is an output of a run; only data sets (for prompts) "
                          "can be taken from runs, "
                          "others are not yet in this version"));
  const std::string set =
      "[prompts.a]\npath = \"a.csv\"\ntext = \"{w}\"\ncut = {}\nsplit = {}\n[prompts.b]\nlike = \"a\"\nslots = "
      "{}\ncombine = \"zip\"\n";
  const auto messages = toys::messages_of(toys::manifest_with("", set));
  for (const auto* key : {"text", "cut", "split", "like", "slots", "combine"}) {
    EXPECT_THAT(messages, ::testing::Contains(HasSubstr(std::string("'") + key + "' of [prompts.")));
  }
}

TEST(Manifest, NotAManifestAtAll) {
  toys::Folder folder;
  Problems problems;
  EXPECT_FALSE(read_study(folder.path() / "no.toml", toys::options(), problems));
  EXPECT_FALSE(read_study(folder.path(), toys::options(), problems));
  EXPECT_FALSE(read_study("/dev/null", toys::options(), problems));
  EXPECT_EQ(problems.text(), (folder.path() / "no.toml").string() + ": error: there is no such file\n" +
                                 folder.path().string() +
                                 ": error: is a directory, not a manifest\n/dev/null: error: is not a regular file\n3 "
                                 "errors; nothing was run.\n");
}

TEST(Manifest, SyntaxErrorsHaveTheirPlace) {
  EXPECT_EQ(toys::problems_of("schema = 1\nschema = 2\n"),
            "m.toml:2:10: error: not valid TOML: cannot redefine existing integer 'schema' (in a key-value pair)\n"
            "    2 | schema = 2\n      |          ^\n1 error; nothing was run.\n");
  EXPECT_THAT(toys::problems_of("a = \"\xff\""),
              HasSubstr("m.toml:1:6: error: is not UTF-8 here; save the file as UTF-8"));
  EXPECT_THAT(toys::problems_of(std::string("a = 1\0", 6)), HasSubstr("m.toml:1:6: error: not valid TOML: "));
  EXPECT_THAT(toys::problems_of("a = " + std::string(100'000, '[')), HasSubstr("m.toml:1:"));
  std::string dots = "a";
  for (int i = 0; i < 100'000; ++i) dots += ".a";
  EXPECT_THAT(toys::problems_of(dots + " = 1"), HasSubstr("m.toml:1:1: error: a key has more than 200 dots"));
}

}  // namespace
}  // namespace diopter::study
