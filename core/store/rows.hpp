// What a reader of the store gets: plain values, read completely, independent of the connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/canonical_json.hpp"

namespace diopter::store {

using base::Json;

struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};
// One cell of a query: NULL, integer, real, text (UTF-8), blob.
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

struct MetricRow {
  std::string name;
  std::int64_t step = 0;
  double value = 0;  // NaN and the infinities are themselves
  std::optional<double> stderr_;
};

struct ParamRow {
  std::string key;   // dotted path into the configuration
  Json value;        // typed: 7, 7.0, true, "007"; long texts are fetched
  std::string type;  // int float bool text text_ref json null
  bool swept = false;
};

struct TagRow {
  std::string key, value;
};

// One line of a listing. Ids are whole ULIDs; times are microseconds since 1970, UTC.
struct RunRow {
  std::int64_t seq = 0;  // local join key: never shown
  std::string id, short_id;
  std::optional<std::string> batch, batch_id, entry;  // batch: its name
  std::optional<std::int64_t> item;
  std::int64_t attempt = 1;
  std::string kind;
  std::int64_t kind_version = 1;
  std::optional<std::string> name, note, model;
  std::optional<std::int64_t> seed;
  std::optional<std::string> dtype, backend;
  std::string
      status;  // running succeeded failed cancelled timeout crashed; stale = running without a heartbeat for 120 s
  std::int64_t started_at_us = 0;
  std::optional<std::int64_t> ended_at_us;
  std::optional<double> seconds;
  std::optional<std::int64_t> exit_code, signal;
  std::optional<std::string> error_type, error;
  std::optional<std::string> host, scheduler_job, commit, plugin, plugin_version;
  std::optional<bool> dirty;
  std::string fingerprint;
  std::optional<std::string> parent_id, retry_of;
  std::optional<std::int64_t> archived_at_us, deleted_at_us;
  std::vector<MetricRow> last_metrics;  // the last step of each metric, by name
};

struct RunList {
  std::int64_t total = 0;  // how many match; rows holds at most `limit` of them
  std::vector<RunRow> rows;
};

struct TensorRow {
  std::int64_t id = 0;
  std::string name;
  std::int64_t step = 0;
  std::string dtype;  // f64 f32 f16 bf16 i64 i32 i16 i8 u8 bool
  std::vector<std::int64_t> shape;
  Json dims;  // one object per axis: {"name":..,"coord":[..]|"labels":[..],"ids":[..]}
  std::int64_t nbytes = 0;
  std::string sha256;
  std::optional<double> vmin, vmax;  // over finite values
  std::int64_t nonfinite = 0;
  std::optional<std::string> path;  // of its safetensors file, relative to the store; nothing: inside the database
  std::optional<std::int64_t> byte_offset;
};

struct TensorData {
  TensorRow meta;
  std::string bytes;  // row-major, little-endian, meta.nbytes long
};

struct OutputRow {
  std::string name, type;           // type: table figure text model dataset
  Json doc;                         // null when the output is an artifact; long documents are fetched
  std::optional<std::string> path;  // relative to the store
};

struct ArtifactRow {
  std::string name, kind, path;  // path is relative to the store directory
  std::int64_t bytes = 0;
  std::string sha256;
};

struct InputRow {
  std::string role, kind;  // kind: model tokenizer dataset vector other
  std::optional<std::string> path;
  std::int64_t bytes = 0;
  std::string sha256;
  Json meta;  // null when there is none
};

struct EventRow {
  std::int64_t id = 0;
  std::optional<std::string> run_id, batch_id;
  std::int64_t at_us = 0;
  std::string level, kind;  // level: debug info warning error; kind: guard.NAME, fenced, clock_skew, ...
  std::optional<std::string> author, message;
  Json data;  // null when there is none
};

struct OutputDefRow {  // what the plugin declared
  std::string name, type;
  std::optional<std::string> unit, doc;
  std::string better;  // higher lower none
};

struct Provenance {
  Json environment;   // null when not recorded
  Json source_state;  // {"repo_url","commit","branch","dirty","diff","diff_omitted","untracked","build"}; null when not
                      // recorded
  Json plugin;        // {"id","version","path","abi_stamp","sha256"}; null for kinds of the host
  Json writer;        // {"id","host","pid",...,"end_kind","end_proof"}
  std::optional<std::string> manifest_path, manifest_sha256, manifest_source, plan_sha256;
  Json manifest_resolved, argv, overrides;  // null without a batch
};

struct RunDetail {
  RunRow row;
  Json config;  // the full resolved parameters: the authority
  std::optional<std::string> error_detail;
  std::vector<ParamRow> params;
  std::vector<TagRow> tags;
  std::vector<MetricRow> metrics;  // the last step of each
  std::vector<TensorRow> tensors;
  std::vector<OutputRow> outputs;
  std::vector<ArtifactRow> artifacts;
  std::vector<InputRow> inputs;
  std::vector<EventRow> events;
  std::vector<OutputDefRow> declared;
  Provenance provenance;
};

struct BatchRow {
  std::string id, name, executor, spool_dir, plan_sha256, manifest_sha256;
  std::optional<std::string> manifest_path;
  std::int64_t planned = 0, created_at_us = 0;
  std::optional<std::int64_t> closed_at_us;
};

struct ItemRow {
  std::int64_t item = 0, stage = 0;
  std::string entry, name, kind, fingerprint;
  std::optional<std::string> run_id;  // the run whose result answers this item
  std::string state;                  // queued cached, a status of a run, or why it was skipped
  std::int64_t attempts = 0;
};

struct SqlResult {
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;
};

struct StoreInfo {
  std::string store_id, sqlite_version, journal_mode;
  std::int64_t schema_version = 0, created_at_us = 0, runs = 0, batches = 0, database_bytes = 0, wal_bytes = 0;
};

}  // namespace diopter::store
