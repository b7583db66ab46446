// plan.jsonl: the frozen plan of a batch, in its spool directory. Line 1 is the header (diopter.plan/1), then one line
// per item. plan.sha256 beside it holds the SHA-256 of the file. With it a spool directory is self-contained.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/canonical_json.hpp"

namespace diopter::store {

using base::Json;

struct PlanManifest {
  std::string path;    // as given
  std::string source;  // the TOML exactly as read
  Json resolved;       // after defaults and overrides
  int schema_version = 1;
  std::string sha256() const;  // of source and resolved: one manifest with two overrides is two facts
};

struct PlanPlugin {
  std::string sha256, id, version;
  std::optional<std::string> path, abi_stamp;
};

struct PlanInput {
  std::string sha256, kind;  // kind: model tokenizer dataset vector other
  std::int64_t bytes = 0;
  std::optional<std::string> path;
  Json meta;  // null when there is none
};

struct PlanHeader {
  std::string batch_id, name;  // ULID; the experiment's name or --name
  PlanManifest manifest;
  std::vector<std::string> argv, overrides;
  std::string executor = "local";
  std::string spool_dir;  // of this batch, absolute
  std::int64_t created_at_us = 0;
  std::int64_t shards = 1;
  std::string executable, executable_sha256;  // the host that is to run the items
  std::vector<PlanPlugin> plugins;
  std::vector<PlanInput> inputs;
};

struct PlanItem {
  std::int64_t item = 0, stage = 0, shard = 0;
  std::string entry, name, kind;
  std::int64_t kind_version = 1;
  std::string fingerprint;  // 64 hex digits
  Json config = Json::object();
  std::vector<std::string> swept;  // dotted keys of config that an axis sets
  std::optional<std::int64_t> seed;
  std::vector<std::pair<std::string, std::string>> inputs;  // role, sha256
  std::vector<std::string> needs;                           // fingerprints
  std::optional<std::string> cached;                        // the earlier run that answers it
  std::int64_t attempt = 1;
  std::optional<std::string> retry_of;
};

struct Plan {
  PlanHeader header;
  std::vector<PlanItem> items;
};

// Creates the directory; both files are written whole. Returns the SHA-256 of plan.jsonl.
std::string write_plan(const std::filesystem::path& batch_spool, const Plan& plan);

struct ReadPlan {
  Plan plan;
  std::string sha256;
};
// UserError(Refused) when it is missing, malformed (with its line) or not what plan.sha256 says.
ReadPlan read_plan(const std::filesystem::path& batch_spool);

}  // namespace diopter::store
