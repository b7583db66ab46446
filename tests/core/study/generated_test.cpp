// Texts that diopter writes are texts that diopter reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/study/toy_kinds.hpp"
#include "study/kind_toml.hpp"
#include "study/plan.hpp"

namespace diopter::study {
namespace {

PlanInputs generated_inputs() {
  PlanInputs out;
  out.model_hash = [](const ModelSettings& model) { return model.source; };
  return out;
}

TEST(Generated, AManifestOfEachKindReadsBack) {
  for (const auto* kind : toys::all()) {
    const Study study = toys::study_of(manifest_toml(*kind));
    ASSERT_EQ(study.runs.size(), 1u) << kind->name;
    std::size_t brought = 0;
    for (const auto& param : study.runs[0].params) {
      EXPECT_TRUE(param.given) << param.name;
      brought += param.brought ? 1 : 0;
    }
    EXPECT_EQ(study.runs[0].params.size(), kind->param_count + brought) << manifest_toml(*kind);
  }
}

TEST(Resolved, ReadsBackToTheSamePlan) {
  const std::vector<std::vector<std::string>> cases = {{}, {"model.source=gpt2", "run.steer.top_k=3"}};
  for (const auto& overrides : cases) {
    const Study study = toys::study_of(toys::sound_manifest(), overrides);
    const std::string toml = resolved_toml(study);
    const Study again = toys::study_of(toml);
    const Plan a = make_plan(study, generated_inputs()), b = make_plan(again, generated_inputs());
    ASSERT_EQ(a.items.size(), b.items.size());
    for (std::size_t i = 0; i < a.items.size(); ++i) {
      EXPECT_EQ(a.items[i].fingerprint, b.items[i].fingerprint) << a.items[i].entry << "\n" << toml;
      EXPECT_EQ(a.items[i].config, b.items[i].config) << a.items[i].entry;
    }
    EXPECT_EQ(base::canonical_json(resolved_json(study)), base::canonical_json(resolved_json(again)));
  }
}

TEST(Resolved, OneRunBringsWhatItNeeds) {
  const Study study = toys::study_of(toys::sound_manifest());
  const Study again = toys::study_of(resolved_toml(study, "train"));
  ASSERT_EQ(again.runs.size(), 2u);
  EXPECT_EQ(again.runs[0].id, "corpus");
  EXPECT_EQ(make_plan(study, generated_inputs()).find("train")->fingerprint,
            make_plan(again, generated_inputs()).find("train")->fingerprint);
}

TEST(Resolved, PromptsWithEveryCharacterSurvive) {
  std::string odd;
  for (int c = 1; c < 0x80; ++c) odd += static_cast<char>(c);
  odd += "é日😀";
  const std::string row =
      "[[prompts.p.rows]]\nclean = " + base::Json(odd).dump() + "\n\"odd key\" = 1.5\nmap = [[0, 1]]";
  std::string escaped = row;
  for (std::size_t at; (at = escaped.find('\x7f')) != std::string::npos;) escaped.replace(at, 1, "\\u007F");
  const std::string manifest = toys::manifest_with("prompts = \"p\"", escaped);
  const Study study = toys::study_of(manifest);
  EXPECT_EQ(*study.prompts[0]->rows[0].text("clean"), odd);
  EXPECT_EQ(toys::study_of(resolved_toml(study)).prompts[0]->sha256, study.prompts[0]->sha256);
}

TEST(Schema, ListsEveryKindWithItsParameters) {
  const base::Json schema = manifest_schema(toys::all());
  const base::Json& runs = schema["properties"]["run"]["items"]["oneOf"];
  ASSERT_EQ(runs.size(), toys::all().size());
  const base::Json& patching = runs[0];
  EXPECT_EQ(patching["properties"]["kind"]["const"], "patching");
  EXPECT_EQ(patching["required"], base::Json::array({"kind", "site"}));
  EXPECT_EQ(patching["properties"]["direction"]["enum"], base::Json::array({"denoise", "noise"}));
  EXPECT_EQ(patching["properties"]["direction"]["default"], "denoise");
  EXPECT_EQ(patching["properties"]["chunk"]["minimum"], 0);
  EXPECT_TRUE(patching["properties"].contains("normalise"));
  EXPECT_FALSE(patching["properties"].contains("edit"));
  EXPECT_TRUE(runs[1]["properties"].contains("edit"));
  EXPECT_FALSE(runs[2]["properties"].contains("model")) << "a kind that trains takes no model";
}

}  // namespace
}  // namespace diopter::study
