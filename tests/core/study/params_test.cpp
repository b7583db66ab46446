// The one validator: each rule with its sentence, in manifests and in tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/study/toy_kinds.hpp"
#include "study/validator.hpp"

namespace diopter::study {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> param_mistakes(const std::string& lines) {
  return toys::messages_of(toys::manifest_with(lines));
}

template <class T>
T value(const std::string& lines, std::string_view name) {
  return std::get<T>(toys::study_of(toys::manifest_with(lines)).runs[0].param(name)->value);
}

TEST(Params, Names) {
  EXPECT_THAT(param_mistakes("topk = 3"),
              ElementsAre("unknown parameter 'topk' for kind 'everything' (did you mean 'top_k'?)"));
  EXPECT_THAT(param_mistakes("Top-K = 3"),
              ElementsAre("unknown parameter 'Top-K' for kind 'everything' (did you mean 'top_k'?)"));
  EXPECT_THAT(param_mistakes("promts = \"a\""),
              ElementsAre("unknown parameter 'promts' for kind 'everything' (did you mean 'prompts'?)"));
  EXPECT_THAT(param_mistakes("jobs = 3"), ElementsAre("'jobs' belongs in [execution]"));
  EXPECT_THAT(param_mistakes("source = \"gpt2\""), ElementsAre("'source' belongs in [model]"));
  EXPECT_THAT(
      param_mistakes("retires = 3"),
      ElementsAre("unknown parameter 'retires' for kind 'everything' (did you mean 'retries' of [execution]?)"));
  EXPECT_THAT(param_mistakes("normalise = \"none\""),
              ElementsAre("kind 'everything' takes no metrics, so 'normalise' means nothing to it"));
  EXPECT_THAT(
      param_mistakes("qwertyuiop = 1"),
      ElementsAre(
          "unknown parameter 'qwertyuiop' for kind 'everything' ('diopter plugin show everything' lists them)"));
}

TEST(Params, Types) {
  EXPECT_THAT(param_mistakes("top_k = 2.0"),
              ElementsAre("'top_k' is 2.0, which is a number with a fraction, not a whole number"));
  EXPECT_THAT(param_mistakes("top_k = true"),
              ElementsAre("'top_k' is true, which is true or false, not a whole number"));
  EXPECT_THAT(param_mistakes("rate = \"1\""), ElementsAre("'rate' is \"1\", which is a string, not a number"));
  EXPECT_THAT(param_mistakes("flag = 1"), ElementsAre("'flag' is 1, which is a whole number, not true or false"));
  EXPECT_THAT(param_mistakes("label = [\"a\"]"), ElementsAre("'label' is [\"a\"], which is a list, not a string"));
  EXPECT_THAT(param_mistakes("counts = 3"),
              ElementsAre("'counts' is 3, which is a whole number, not a list of whole numbers"));
  EXPECT_THAT(param_mistakes("heads = 3"),
              ElementsAre("'heads' is 3, which is a whole number, not a list of whole numbers or \"all\""));
  EXPECT_THAT(param_mistakes("counts = [1, 2.5]"),
              ElementsAre("item 2 of 'counts' is 2.5, which is a number with a fraction, not a whole number"));
  EXPECT_THAT(param_mistakes("names = [\"a\", 1, true]"),
              ElementsAre("item 2 of 'names' is 1, which is a whole number, not a string",
                          "item 3 of 'names' is true, which is true or false, not a string"));
  EXPECT_THAT(param_mistakes("label = 1979-05-27"),
              ElementsAre("'label' is 1979-05-27, which is a date, not a string"));
  EXPECT_EQ(value<double>("rate = 2", "rate"), 2.0) << "a whole number is accepted where a number is asked";
}

TEST(Params, CanonicalFormIsCoercedToTheDeclaredType) {
  const Study study = toys::study_of(
      toys::manifest_with("rate = 2\ncoefficients = [1, 2.5]\ncounts = { range = { from = 1, to = 7, step = 3 } }"));
  EXPECT_EQ(base::canonical_json(study.runs[0].param("rate")->json), "2.0");
  EXPECT_EQ(base::canonical_json(study.runs[0].param("coefficients")->json), "[1.0,2.5]");
  EXPECT_EQ(base::canonical_json(study.runs[0].param("counts")->json), "[1,4,7]");
}

TEST(Params, Choices) {
  EXPECT_THAT(param_mistakes("mode = \"men\""),
              ElementsAre("'mode' is \"men\", which is not one of its choices (did you mean 'mean'?)"));
  EXPECT_THAT(param_mistakes("mode = \"average\""),
              ElementsAre("'mode' is \"average\", which is not one of its choices (known: mean, zero, resample)"));
  EXPECT_THAT(param_mistakes("modes = [\"mean\", \"resample\"]"),
              ElementsAre("item 2 of 'modes' is \"resample\", which is not one of its choices (known: mean, zero)"));
}

TEST(Params, Ranges) {
  EXPECT_THAT(param_mistakes("top_k = 0"), ElementsAre("'top_k' is 0, which is outside [1, 100]"));
  EXPECT_THAT(param_mistakes("top_k = 101"), ElementsAre("'top_k' is 101, which is outside [1, 100]"));
  EXPECT_THAT(param_mistakes("rate = 8.5"), ElementsAre("'rate' is 8.5, which is above 8"));
  EXPECT_THAT(param_mistakes("rate = inf"), ElementsAre("'rate' is inf, which is not a finite number"));
  EXPECT_THAT(param_mistakes("rate = -nan"), ElementsAre("'rate' is nan, which is not a finite number"));
  EXPECT_THAT(param_mistakes("coefficients = [1, 101, -inf]"),
              ElementsAre("item 2 of 'coefficients' is 101, which is outside [-100, 100]",
                          "item 3 of 'coefficients' is -inf, which is not a finite number"));
}

TEST(Params, Indices) {
  EXPECT_THAT(param_mistakes("layer = 12"), ElementsAre("layer 12 is out of range: gpt2 has layers 0..11"));
  EXPECT_THAT(param_mistakes("layer = -13"), ElementsAre("layer -13 is out of range: gpt2 has layers 0..11"));
  EXPECT_THAT(param_mistakes("heads = [0, 12]"), ElementsAre("head 12 is out of range: gpt2 has heads 0..11"));
  EXPECT_EQ(value<std::int64_t>("layer = -1", "layer"), 11);
  EXPECT_EQ(value<std::vector<std::int64_t>>("heads = \"all\"", "heads").size(), 12u);
  EXPECT_THAT(param_mistakes("counts = \"all\""),
              ElementsAre("'counts' is \"all\", which is a string, not a list of whole numbers"));
  EXPECT_THAT(toys::messages_of(
                  toys::manifest_with("kind = \"patching\"\nsite = \"z\"\nprompts = \"p\"\npositions = [1024]",
                                      "[[prompts.p.rows]]\nclean=\"a\"\ncorrupted=\"b\"\nanswer=\"c\"\nfoil=\"d\"")),
              ElementsAre("pos 1024 is out of range: gpt2 has positions 0..1023"));
}

TEST(Params, PositionsAreNotFoldedBecauseTheyCountWithinAPrompt) {
  const Study study =
      toys::study_of(toys::manifest_with("kind = \"patching\"\nsite = \"z\"\nprompts = \"p\"\npositions = [-1]",
                                         "[[prompts.p.rows]]\nclean=\"a\"\ncorrupted=\"b\"\nanswer=\"c\"\nfoil=\"d\""));
  EXPECT_EQ(study.runs[0].param("positions")->json, base::Json::array({-1}));
  EXPECT_TRUE(toys::study_of(toys::sound_manifest()).runs[0].param("positions")->all);
}

TEST(Params, GeneratedLists) {
  using Doubles = std::vector<double>;
  EXPECT_EQ(value<Doubles>("coefficients = { linspace = { from = 0, to = 1, count = 3 } }", "coefficients"),
            (Doubles{0, 0.5, 1}));
  EXPECT_EQ(value<Doubles>("coefficients = { linspace = { from = 2, to = 9, count = 1 } }", "coefficients"),
            (Doubles{2}));
  const auto steps = value<Doubles>("coefficients = { range = { from = 0, to = 1, step = 0.1 } }", "coefficients");
  ASSERT_EQ(steps.size(), 11u) << "the end is included";
  EXPECT_NEAR(steps.back(), 1.0, 1e-12);
  const auto logs = value<Doubles>("coefficients = { logspace = { from = 1, to = 8, count = 4 } }", "coefficients");
  ASSERT_EQ(logs.size(), 4u);
  EXPECT_NEAR(logs[1], 2, 1e-12);
  EXPECT_NEAR(logs[2], 4, 1e-12);
  EXPECT_EQ(logs[3], 8);
  EXPECT_EQ(value<std::vector<std::int64_t>>("counts = { range = { from = 3, to = 0, step = -1 } }", "counts"),
            (std::vector<std::int64_t>{3, 2, 1, 0}));

  EXPECT_THAT(param_mistakes("coefficients = { linspce = {} }"),
              ElementsAre("'linspce' does not make a list here (did you mean 'linspace'?)"));
  EXPECT_THAT(param_mistakes("counts = { linspace = { from = 0, to = 1, count = 2 } }"),
              ElementsAre("'linspace' does not make a list here (known: range)"));
  EXPECT_THAT(param_mistakes("coefficients = {}"),
              ElementsAre("a generated list has one key: linspace, logspace or range"));
  EXPECT_THAT(
      param_mistakes("coefficients = { linspace = 3 }"),
      ElementsAre("'linspace' is a whole number, not a table; for example linspace = { from = 1, to = 8, count = 4 }"));
  EXPECT_THAT(param_mistakes("coefficients = { linspace = { from = 0, to = 1 } }"),
              ElementsAre("linspace needs the key 'count'; for example count = 4"));
  EXPECT_THAT(param_mistakes("coefficients = { logspace = { from = 0, to = 1, count = 2 } }"),
              ElementsAre("'from' and 'to' of logspace must be above 0"));
  EXPECT_THAT(param_mistakes("counts = { range = { from = 0, to = 4, step = -1 } }"),
              ElementsAre("'step' of range does not lead from 'from' to 'to'"));
  EXPECT_THAT(param_mistakes("counts = { range = { from = 0, to = 1000000 } }"),
              ElementsAre("range has more than 100000 values"));
  EXPECT_THAT(param_mistakes("coefficients = { range = { from = 0, to = 200, step = 50 } }"),
              ElementsAre("'coefficients' is { range = { from = 0, to = 200, step = 50 } }, which has 150.0, which is "
                          "outside [-100, 100]"));
  EXPECT_THAT(param_mistakes("coefficients = { linspace = { from = 0, to = 1, count = 3, stop = 1 } }"),
              ElementsAre("unknown key 'stop' in linspace (known: from, to, count)"));
}

TEST(Params, FilesHooksTokensPositions) {
  toys::Folder folder;
  folder.write("v.safetensors", "x");
  EXPECT_THAT(param_mistakes("file = \"" + (folder.path() / "v.safetensors").string() + "\""), IsEmpty());
  const std::string none = (folder.path() / "none").string();
  EXPECT_THAT(toys::messages_of(toys::manifest_with("file = \"" + none + "\""))[0],
              ::testing::HasSubstr("which does not exist; looked for " + none));
  EXPECT_THAT(param_mistakes("hook = \"blocks.{0..2\""), ::testing::SizeIs(1));
  EXPECT_THAT(param_mistakes("hook = []"), ElementsAre("'hook' is [], which names no hook"));
  EXPECT_THAT(param_mistakes("word = \"\""), ElementsAre("'word' is \"\", which is empty, so it is no token"));
  EXPECT_THAT(param_mistakes("where = \"lst\""), ElementsAre("'lst' does not name positions (did you mean 'last'?)"));
  EXPECT_THAT(param_mistakes("where = \"from:x\""),
              ElementsAre("'from:x' does not say from which position; for example \"from:5\""));
  EXPECT_THAT(param_mistakes("where = []"), ElementsAre("the list of positions is empty, so nothing is selected"));
  EXPECT_THAT(param_mistakes("where = [1, \"a\"]"),
              ElementsAre("a position is \"a\", which is a string, not a whole number"));
  EXPECT_THAT(param_mistakes("where = { token = \" :\", occurrence = 0 }"),
              ElementsAre("'occurrence' is 0, but counts from 1 (or from the end: -1)"));
  EXPECT_THAT(param_mistakes("where = { tokn = \" :\" }"),
              ElementsAre("{ token = ... } needs the key 'token'; for example { token = \" :\" }",
                          "unknown key 'tokn' in { token = ... } (did you mean 'token'?)"));
  const auto positions = value<Positions>("where = \"last+from:5\"", "where");
  ASSERT_EQ(positions.terms.size(), 2u);
  EXPECT_EQ(positions.terms[0].kind, PositionTerm::Kind::Last);
  EXPECT_EQ(positions.terms[1].first, 5);
}

TEST(Params, Missing) {
  EXPECT_EQ(toys::problems_of(toys::manifest_with("kind = \"train_lm\"")),
            "m.toml:6:1: error: kind 'train_lm' needs the parameter 'data'; for example data = \"x\"\n"
            "    6 | [[run]]\n      | ^~~~~~~\n   help: A parameter.\n1 error; nothing was run.\n");
}

TEST(Params, MetricsBringTheirKeys) {
  const std::string head = "kind = \"patching\"\nsite = \"z\"\nprompts = \"p\"\n";
  const std::string set = "[[prompts.p.rows]]\nclean=\"a\"\ncorrupted=\"b\"\nanswer=\"c\"\n";
  EXPECT_THAT(toys::messages_of(toys::manifest_with(head + "metrics = []", set)),
              ElementsAre("'metrics' is [], which names no metric"));
  EXPECT_THAT(toys::messages_of(toys::manifest_with(head + "metrics = \"logit\"", set)),
              ElementsAre("'metrics' is \"logit\", which is a string, not a list of metrics"));
  EXPECT_THAT(toys::messages_of(toys::manifest_with(head + "metrics = [\"prob\", \"prob\"]", set)),
              ElementsAre("item 2 of 'metrics' is \"prob\", which is there twice"));
  EXPECT_THAT(
      toys::messages_of(
          toys::manifest_with(head + "metrics = [\"prob\"]\nnormalise = \"yes\"\nmin_gap = -1\nat = \"end\"", set)),
      ElementsAre("'normalise' of [[run]] is 'yes', which is not one of its choices (known: none, clean_corrupted)",
                  "'min_gap' of [[run]] is -1, which is below 0",
                  "'end' does not name positions (known: all, prompt, generated, last, from:0)"));
  EXPECT_THAT(
      toys::messages_of(toys::manifest_with(head + "metrics = [\"prob\", \"logit_diff\"]", set)),
      ElementsAre(
          "metric 'logit_diff' needs 'foil', but the prompts of run 'patching' have no 'foil'; add it to every row"));
}

TEST(Params, PromptNeeds) {
  const std::string head = "kind = \"patching\"\nsite = \"z\"\nmetrics = [\"entropy\"]\n";
  EXPECT_THAT(
      toys::messages_of(toys::manifest_with(head)),
      ElementsAre("kind 'patching' needs prompt pairs, but run 'patching' names no prompts; add prompts = \"NAME\""));
  EXPECT_THAT(
      toys::messages_of(toys::manifest_with(head + "prompts = \"p\"", "[[prompts.p.rows]]\ntext = \"a\"")),
      ElementsAre(
          "kind 'patching' needs prompt pairs, but the prompts of run 'patching' have no 'corrupted' text; add it to "
          "every row",
          "kind 'patching' needs answers, but the prompts of run 'patching' have no 'answer'; add it to every row"));
}

TEST(TableText, SentencesGoOnAfterTheWordDefault) {
  diopter_param top_k = toys::row("top_k", DIOPTER_INT);
  top_k.min = 1;
  top_k.max = 100;
  EXPECT_THAT(validate_toml_text(top_k, "10"), IsEmpty());
  EXPECT_THAT(validate_toml_text(top_k, "0"), ElementsAre("0, which is outside [1, 100]"));
  EXPECT_THAT(validate_toml_text(top_k, "\"a\""), ElementsAre("\"a\", which is a string, not a whole number"));
  EXPECT_THAT(validate_toml_text(top_k, "1\nx = 2"), ElementsAre("1\nx = 2, but: more than one value"));
  EXPECT_THAT(validate_toml_text(top_k, "ten"), ::testing::SizeIs(1));
  EXPECT_THAT(validate_toml_text(toys::row("l", DIOPTER_INT_LIST), "[1, \"x\"]"),
              ElementsAre("[1, \"x\"], whose item 2 is a string, not a whole number"));
  EXPECT_THAT(validate_toml_text(toys::row("p", DIOPTER_POSITIONS), "\"lst\""),
              ElementsAre("\"lst\", but: 'lst' does not name positions (did you mean 'last'?)"));
  EXPECT_THAT(validate_toml_text(toys::row("f", DIOPTER_PATH), "\"corpus.txt\""), IsEmpty())
      << "examples of files are illustrations";
  EXPECT_THAT(validate_toml_text(toys::row("f", DIOPTER_INPUT), "\"@vec/vector[layer=8]\""), IsEmpty());
  EXPECT_EQ(std::get<std::int64_t>(value_of_toml_text(top_k, "7")->value), 7);
  EXPECT_FALSE(value_of_toml_text(top_k, "0").has_value());
}

}  // namespace
}  // namespace diopter::study
