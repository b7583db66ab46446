// Seeded mutations of sound inputs: always problems or a study, never a crash, a hang or another exception.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "core/study/toy_kinds.hpp"
#include "environment.hpp"
#include "study/csv_reader.hpp"
#include "study/jsonl_reader.hpp"
#include "study/plan.hpp"

namespace diopter::study {
namespace {

const std::vector<std::string> kPieces = {"[",
                                          "]",
                                          "[[",
                                          "]]",
                                          "{",
                                          "}",
                                          "=",
                                          "\"",
                                          "'",
                                          "\n",
                                          ".",
                                          ",",
                                          "#",
                                          "\\",
                                          "@",
                                          "\"\"\"",
                                          "nan",
                                          "-1",
                                          "1e308",
                                          "99999999999999999999",
                                          "true",
                                          "[[run]]\n",
                                          "[run]\n",
                                          "[prompts]\n",
                                          "all",
                                          "\xff",
                                          std::string(1, '\0'),
                                          "é",
                                          "{ }",
                                          "[]",
                                          "\"all\"",
                                          "{ linspace = { from = 0, to = 1, count = 100000 } }",
                                          "1979-05-27",
                                          "a.b.c = 1\n",
                                          "\r\n",
                                          "\t",
                                          ":"};

std::string mutated(std::string text, std::mt19937_64& random) {
  const auto at = [&] { return text.empty() ? 0 : random() % text.size(); };
  for (std::uint64_t i = 1 + random() % 4; i > 0; --i) {
    switch (random() % 5) {
      case 0: text.insert(at(), kPieces[random() % kPieces.size()]); break;
      case 1: text.erase(at(), 1 + random() % 12); break;
      case 2: text.replace(at(), 1, 1, static_cast<char>(random())); break;
      case 3: {  // a line moves
        const auto from = text.rfind('\n', at());
        if (from == std::string::npos) break;
        const std::string line = text.substr(from, text.find('\n', from + 1) - from);
        text.insert(at(), line);
        break;
      }
      default: text.resize(at()); break;
    }
    if (random() % 3 == 0) break;
  }
  return text;
}

class Clock {
 public:
  bool running() const {
    return std::chrono::steady_clock::now() - start_ < std::chrono::seconds(tests::fuzz_rounds(20));
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST(ManifestFuzz, AlwaysProblemsOrAStudy) {
  std::mt19937_64 random(7);
  const Clock clock;
  const std::string sound = toys::sound_manifest();
  PlanInputs inputs;
  inputs.model_hash = [](const ModelSettings& model) { return model.source; };
  int read = 0, refused = 0;
  for (int i = 0; i < tests::fuzz_rounds(6000) && clock.running(); ++i) {
    const std::string text = mutated(sound, random);
    Problems problems;
    const auto study = read_study_text(text, "m.toml", toys::options(), problems);
    ASSERT_TRUE(study || !problems.ok()) << text;
    (void)problems.text();
    (void)problems.json();
    if (!study || !problems.ok()) {
      ++refused;
      continue;
    }
    ++read;
    (void)make_plan(*study, inputs);
    Problems again;
    const auto resolved = read_study_text(resolved_toml(*study), "r.toml", toys::options(), again);
    ASSERT_TRUE(again.ok()) << again.text() << resolved_toml(*study) << "\nfrom\n" << text;
  }
  std::printf("mutants of a manifest: %d read, %d refused\n", read, refused);
  EXPECT_GT(read, 0);
  EXPECT_GT(refused, 0);
}

TEST(ManifestFuzz, OverridesToo) {
  std::mt19937_64 random(8);
  const std::vector<std::string> sound = {"model.source=gpt2", "run.resid.metrics=[\"kl_to_clean\"]",
                                          "run.steer.edit.1.coefficient=[1, 2]", "prompts.ioi.limit=1",
                                          "run.2.heads={ range = { from = 0, to = 3 } }"};
  for (int i = 0; i < tests::fuzz_rounds(2000); ++i) {
    Problems problems;
    (void)read_study_text(toys::sound_manifest(), "m.toml",
                          toys::options({mutated(sound[random() % sound.size()], random)}), problems);
    (void)problems.text();
  }
}

TEST(PromptFileFuzz, RowsOrProblems) {
  std::mt19937_64 random(9);
  const std::string jsonl =
      "{\"clean\": \"a b\", \"answer\": [\" x\", \" y\"], \"n\": -1.5e3, \"map\": [[0, 1]], \"u\": "
      "\"\\u00e9\\\"\"}\n{\"text\": \"c\"}\n";
  const std::string csv = "clean,corrupted,answer\n\"a, \"\"b\"\"\",c, x\nd,e,\"\n f\"\n";
  for (int i = 0; i < tests::fuzz_rounds(20000); ++i) {
    Problems problems;
    const bool as_json = random() % 2 == 0;
    const std::string text = mutated(as_json ? jsonl : csv, random);
    const auto rows = as_json ? read_jsonl(text, "f", 100, problems) : read_csv(text, "f", 100, problems);
    ASSERT_EQ(rows.has_value(), problems.ok()) << text;
    (void)problems.text();
  }
}

TEST(PromptFileFuzz, AbsurdNesting) {
  Problems problems;
  EXPECT_FALSE(
      read_jsonl("{\"clean\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}", "f", 9, problems));
  EXPECT_FALSE(problems.ok());
}

}  // namespace
}  // namespace diopter::study
