// Golden value, and what does and does not change a fingerprint.
#include <gtest/gtest.h>

#include <clocale>
#include <locale>
#include <random>
#include <set>

#include "core/study/toy_kinds.hpp"
#include "study/fingerprint.hpp"
#include "study/plan.hpp"

namespace diopter::study {
namespace {

using base::Json;

FingerprintParts golden_parts() {
  FingerprintParts parts;
  parts.kind = "steering";
  parts.kind_version = 3;
  parts.inputs = {{"model", std::string(64, 'a')}, {"prompts", std::string(64, 'b')}};
  parts.model = {{"dtype", "float32"}, {"compute", "float32"}, {"bos", "family"}, {"transforms", Json::array()}};
  parts.params = {{"top_k", 10}, {"hook", "blocks.6.hook_resid_pre"}, {"normalize", true}, {"coefficient", 2.0}};
  return parts;
}

TEST(Fingerprint, GoldenValue) {
  const FingerprintParts parts = golden_parts();
  EXPECT_EQ(
      fingerprint_bytes(parts),
      "diopter.fingerprint/1\n"
      R"({"backend":"cpu","inputs":{"model":")" +
          std::string(64, 'a') + R"(","prompts":")" + std::string(64, 'b') +
          R"("},"kind":"steering","kind_version":3,"model":{"bos":"family","compute":"float32","dtype":"float32","transforms":[]},"needs":[],)"
          R"("params":{"coefficient":2.0,"hook":"blocks.6.hook_resid_pre","normalize":true,"top_k":10},"seed":0})");
  EXPECT_EQ(fingerprint(parts), "beaeebbc79cbba67c5839d793e411abc9ad5f9722209932bba3c12b0c3c61046");
}

TEST(Fingerprint, EveryPartCounts) {
  const std::string before = fingerprint(golden_parts());
  std::set<std::string> all = {before};
  const auto changed = [&](auto change) {
    FingerprintParts parts = golden_parts();
    change(parts);
    EXPECT_TRUE(all.insert(fingerprint(parts)).second);
  };
  changed([](auto& p) { p.kind = "steer"; });
  changed([](auto& p) { p.kind_version = 4; });
  changed([](auto& p) { p.params["top_k"] = 11; });
  changed([](auto& p) { p.params["top_k"] = 10.0; });
  changed([](auto& p) { p.params["top_k"] = "10"; });
  changed([](auto& p) { p.inputs["model"][0] = 'c'; });
  changed([](auto& p) { p.inputs["vector"] = "x"; });
  changed([](auto& p) { p.model["bos"] = "never"; });
  changed([](auto& p) { p.model = nullptr; });
  changed([](auto& p) { p.needs = {"x"}; });
  changed([](auto& p) { p.seed = 1; });
  changed([](auto& p) { p.backend = "cuda"; });
  FingerprintParts parts = golden_parts();
  parts.needs = {"b", "a"};
  FingerprintParts other = golden_parts();
  other.needs = {"a", "b"};
  EXPECT_EQ(fingerprint(parts), fingerprint(other));
}

// A random run, written twice: the same meaning in other words.
struct RandomRun {
  std::vector<std::pair<std::string, std::string>> lines;  // key, value: they count
  std::string text;

  explicit RandomRun(std::mt19937_64& random) {
    const auto number = [&](int low, int high) {
      return std::to_string(std::uniform_int_distribution(low, high)(random));
    };
    const auto maybe = [&](const std::string& key, const std::string& value) {
      if (random() % 2 == 0) lines.emplace_back(key, value);
    };
    maybe("top_k", number(1, 100));
    maybe("rate", number(-50, 7) + "." + number(0, 999));
    maybe("flag", random() % 2 == 0 ? "true" : "false");
    maybe("label", "\"" + number(0, 9999) + "\"");
    maybe("mode", std::vector<std::string>{"\"mean\"", "\"zero\"", "\"resample\""}[random() % 3]);
    maybe("layer", number(0, 11));
    maybe("coefficients", "[" + number(-9, 9) + ", " + number(-9, 9) + ".5]");
    maybe("where", "[" + number(0, 9) + "]");
    maybe("seed", number(0, 1 << 30));
  }

  std::string written(std::mt19937_64& random, bool noise) const {
    auto shuffled = lines;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    std::string run;
    for (const auto& [key, value] : shuffled)
      run += key + (noise && random() % 2 == 0 ? "   =  " : " = ") + value +
             (noise ? "  # " + std::to_string(random() % 100) : "") + "\n";
    std::string rest;
    if (noise) {
      run += "id = \"r" + std::to_string(random() % 1000) +
             "\"\nname = \"n\"\nnote = \"n\"\ntags = [\"t\"]\ncolour = \"c" + std::to_string(random() % 9) + "\"\n";
      rest = "[execution]\njobs = " + std::to_string(1 + random() % 8) + "\nstrict = true\n";
    }
    return toys::manifest_with(run, rest);
  }
};

std::string fingerprint_of(const std::string& manifest, const std::string& file = "m.toml") {
  Problems problems;
  const auto study = read_study_text(manifest, file, toys::options(), problems);
  EXPECT_EQ(problems.text(), "") << manifest;
  PlanInputs inputs;
  inputs.model_hash = [](const ModelSettings& model) { return base::canonical_json(model.source); };
  return make_plan(*study, inputs).items.at(0).fingerprint;
}

struct CommaDecimals : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

// 5,000 pairs = 10,000 manifests; half of them under a locale that writes 1.234,5.
TEST(Fingerprint, IsBlindToWordsAndSharpToMeaning) {
  std::mt19937_64 random(20240511);
  const std::locale before = std::locale::classic();
  std::map<std::string, std::string> seen;  // canonical lines -> fingerprint
  std::size_t compared = 0;
  for (int i = 0; i < 5000; ++i) {
    if (i == 2500) std::locale::global(std::locale(before, new CommaDecimals));
    const RandomRun run(random);
    const std::string plain = fingerprint_of(run.written(random, false));
    ASSERT_EQ(plain, fingerprint_of(run.written(random, true), "/elsewhere/other.toml")) << run.written(random, false);
    ++compared;
    if (run.lines.empty()) continue;
    RandomRun other = run;  // one value says something else
    auto& [key, value] = other.lines[random() % other.lines.size()];
    value = key == "flag"           ? (value == "true" ? "false" : "true")
            : key == "mode"         ? (value == "\"mean\"" ? "\"zero\"" : "\"mean\"")
            : key == "label"        ? "\"other\""
            : key == "coefficients" ? "[99]"
            : key == "where"        ? "\"last\""
            : key == "rate"         ? "-99.25"
            : key == "top_k"        ? (value == "1" ? "2" : "1")
            : value == "0"          ? "1"
                                    : "0";
    ASSERT_NE(plain, fingerprint_of(other.written(random, false))) << key << " = " << value;
    ++compared;
  }
  std::locale::global(before);
  std::printf("compared %zu fingerprints\n", compared);
}

}  // namespace
}  // namespace diopter::study
