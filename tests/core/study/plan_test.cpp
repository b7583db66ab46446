// From a study to its items.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "core/study/toy_kinds.hpp"
#include "study/plan.hpp"

namespace diopter::study {
namespace {

using ::testing::ElementsAre;

PlanInputs inputs() {
  PlanInputs out;
  out.model_hash = [](const ModelSettings& model) { return base::sha256(model.source); };
  return out;
}

TEST(Plan, ItemsInTheOrderOfStages) {
  const Study study = toys::study_of(toys::sound_manifest());
  const Plan plan = make_plan(study, inputs());
  std::vector<std::string> entries;
  for (const auto& item : plan.items) entries.push_back(item.entry);
  EXPECT_THAT(entries, ElementsAre("resid", "corpus", "steer", "train"));
  const PlanItem& train = *plan.find("train");
  EXPECT_EQ(train.item, 3);
  EXPECT_EQ(train.stage, 1);
  EXPECT_THAT(train.needs, ElementsAre(plan.find("corpus")->fingerprint));
  EXPECT_THAT(train.needs_items, ElementsAre(1));
  EXPECT_TRUE(train.parts.model.is_null());
  EXPECT_EQ(train.parts.params["data"], "@" + plan.find("corpus")->fingerprint + "/documents");
  const PlanItem& steer = *plan.find("steer");
  EXPECT_TRUE(steer.needs.empty()) << "it waits for resid, but reads nothing of it";
  EXPECT_THAT(steer.needs_items, ElementsAre(0));
}

TEST(Plan, ConfigIsFlatAndComplete) {
  const Study study = toys::study_of(toys::sound_manifest());
  const Plan plan = make_plan(study, inputs());
  EXPECT_EQ(
      base::canonical_json(plan.find("resid")->config),
      R"({"at":[-1],"chunk":0,"direction":"denoise","layers":[0,1,2,3],"metrics":["logit_diff","prob"],"min_gap":0.1,)"
      R"("model":{"bos":"family","compute":"float32","device":"auto","dtype":"float32","source":"organism","transforms":[]},)"
      R"("normalise":"clean_corrupted","over":"layer pos","positions":"all","prompts":"ioi","seed":0,"site":"resid_pre"})");
  EXPECT_EQ(
      base::canonical_json(plan.find("steer")->config["edit"]),
      R"([{"coefficient":[1.0,2.5],"hook":"blocks.2.hook_resid_post","op":"scale","positions":"last+generated"}])");
  EXPECT_EQ(plan.find("resid")->inputs.at("prompts"), study.prompts.at(0)->sha256);
}

TEST(Plan, RenamingARunChangesNoFingerprint) {
  const std::string manifest = toys::sound_manifest();
  std::string renamed = manifest;
  for (const std::string from = "corpus\"\nkind", to = "text\"\nkind"; renamed.find(from) != std::string::npos;)
    renamed.replace(renamed.find(from), from.size(), to);
  renamed.replace(renamed.find("needs = [\"corpus\"]"), 18, "needs = [\"text\"]");
  renamed.replace(renamed.find("@corpus/"), 8, "@text/");
  const Study a = toys::study_of(manifest), b = toys::study_of(renamed);
  EXPECT_EQ(make_plan(a, inputs()).find("train")->fingerprint, make_plan(b, inputs()).find("train")->fingerprint);
}

TEST(Plan, FilesCountByContentNotByName) {
  toys::Folder folder;
  const auto a = folder.write("a.bin", "same"), b = folder.write("b.bin", "same"), c = folder.write("c.bin", "other");
  const auto fingerprint = [&](const std::filesystem::path& file) {
    const Study study = toys::study_of(
        toys::manifest_with("file = \"" + file.string() +
                            "\"\n[[run.edit]]\nop = \"replace\"\nhook = \"x\"\nvalue = \"" + file.string() + "\""));
    const Plan plan = make_plan(study, inputs());
    EXPECT_EQ(plan.items[0].inputs.at("file"), base::sha256_file(file));
    EXPECT_EQ(plan.items[0].inputs.at("edit.1"), base::sha256_file(file));
    return plan.items[0].fingerprint;
  };
  EXPECT_EQ(fingerprint(a), fingerprint(b));
  EXPECT_NE(fingerprint(a), fingerprint(c));
}

TEST(Plan, UpstreamChangesReachDownstream) {
  const Study a = toys::study_of(toys::sound_manifest()),
              b = toys::study_of(toys::sound_manifest(), {"run.corpus.documents=101"});
  EXPECT_NE(make_plan(a, inputs()).find("train")->fingerprint, make_plan(b, inputs()).find("train")->fingerprint);
  EXPECT_EQ(make_plan(a, inputs()).find("steer")->fingerprint, make_plan(b, inputs()).find("steer")->fingerprint);
}

TEST(Plan, LinesCarryWhatTheStoreNeeds) {
  const Study study = toys::study_of(toys::manifest_with("id = \"r\"\nname = \"a name\"\nseed = 3"));
  const base::Json line = to_json(make_plan(study, inputs()).items[0]);
  for (const auto* key : {"item", "stage", "entry", "name", "kind", "kind_version", "config", "swept", "seed", "inputs",
                          "needs", "fingerprint"}) {
    EXPECT_TRUE(line.contains(key)) << key;
  }
  EXPECT_EQ(line["name"], "a name");
  EXPECT_EQ(line["seed"], 3);
}

}  // namespace
}  // namespace diopter::study
