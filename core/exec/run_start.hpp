// What is known of a run when it starts and when it ends: the columns of the store, with plain types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/canonical_json.hpp"

namespace diopter::exec {

using base::Json;

struct RunStart {
  std::string run_id;  // base::new_ulid(), minted by the process that runs the attempt
  std::optional<std::int64_t> item;
  std::optional<std::string> entry, name, note;
  std::int64_t attempt = 1;
  std::optional<std::string> retry_of, parent;
  std::string kind;
  std::int64_t kind_version = 1;
  std::optional<std::string> model, dtype, backend;
  std::optional<std::int64_t> seed;
  std::string fingerprint;                                 // 64 hex digits
  std::optional<std::string> plugin, source, environment;  // SHA-256 of facts that were recorded before
  Json config = Json::object();                            // the full resolved parameters
  std::vector<std::string> swept;                          // dotted keys of config that an axis sets
  std::map<std::string, std::string> tags;
  std::vector<std::pair<std::string, std::string>> inputs;  // role, sha256 of an input_file of the plan
};

enum class RunStatus { Succeeded, Failed, Cancelled, Timeout };

struct RunEnd {
  RunStatus status = RunStatus::Failed;
  std::optional<std::int64_t> exit_code, signal;
  std::string error_type, message, detail;  // empty: none; a message is required unless succeeded or cancelled
  std::optional<double> wall_ms, cpu_ms;
  std::optional<std::int64_t> peak_rss, peak_vram;  // bytes
};

struct TensorRecord {
  std::string name;
  std::int64_t step = 0;
  std::string dtype;                // f64 f32 f16 bf16 i64 i32 i16 i8 u8 bool
  std::vector<std::int64_t> shape;  // row-major
  Json dims =
      Json::array();  // one object per axis: {"name":"layer","coord":[..]} or {"name":"pos","labels":[..],"ids":[..]}
  std::string_view bytes;  // little-endian
};

}  // namespace diopter::exec
