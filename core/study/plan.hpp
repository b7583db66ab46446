// The plan: a study expanded to a frozen list of items, each with a fingerprint. Made before the first item starts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/canonical_json.hpp"
#include "study/fingerprint.hpp"
#include "study/study.hpp"

namespace diopter::study {

struct PlanItem {
  std::int64_t item = 0;  // from 0, in the order of execution
  int stage = 0;          // items of one stage do not need each other
  std::string entry;      // the run's id
  std::string name;
  std::string kind;
  std::uint32_t kind_version = 0;
  base::Json
      config;  // flat: parameters, "model" {source dtype device compute bos transforms}, "prompts", "seed", "edit"
  std::vector<std::string> swept;  // keys that an axis sets; none in this version
  std::int64_t seed = 0;
  std::map<std::string, std::string> inputs;  // role -> SHA-256: "model", "prompts", names of file parameters
  std::vector<std::string> needs;             // fingerprints of the items whose outputs it reads, sorted
  std::vector<std::int64_t> needs_items;      // every item that must succeed first: `needs` of the manifest
  FingerprintParts parts;
  std::string fingerprint;
  const Run* run = nullptr;  // of the Study the plan was made from
};

struct PlanInputs {
  std::function<std::string(const ModelSettings&)> model_hash;         // required when a run has a model
  std::function<std::string(const ModelSettings&)> backend;            // "cpu" | "cuda"; default: cpu
  std::function<std::string(const std::filesystem::path&)> file_hash;  // default: base::sha256_file / sha256_tree
};

struct Plan {
  std::vector<PlanItem> items;
  const PlanItem* find(std::string_view entry) const;
};

// The study must be free of problems. `study` must outlive the plan.
Plan make_plan(const Study& study, const PlanInputs& inputs);

base::Json to_json(
    const PlanItem& item);  // one line of plan.jsonl, less what only a batch knows (shard, cached, attempt)

}  // namespace diopter::study
