// Reading a store: mode=ro, query_only. Every function reads its rows completely in one short transaction, so nothing
// is held while a pager shows them. [any thread, one at a time] Not usable in a forked child.
//
// Errors: UserError(Store) when the store cannot be opened or read; UserError(Usage) for a selector that is malformed
// or ambiguous (up to 10 candidates are listed); UserError(NoMatch) when it names nothing.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/rows.hpp"

namespace diopter::store {

class Connection;

// All conditions must hold; empty ones are not asked. Newest first.
struct RunQuery {
  std::optional<std::int64_t> since_us, until_us;  // of the start
  std::vector<std::string> status, kind, model;    // any of; status may be "stale"
  std::optional<std::string> batch;                // id, or the newest batch of that name; cached runs included
  std::vector<TagRow> tags;                        // an empty value asks for the key only
  std::optional<std::string> search;               // full text over name, note, tags, error, prompt
  std::optional<std::vector<std::string>> ids;     // only these (from resolve)
  bool all = false;                                // archived and deleted ones too
  std::int64_t limit = 20, offset = 0;             // limit 0: all
};

struct SqlOptions {
  std::chrono::milliseconds timeout{30'000};
  std::map<std::string, Value> params;  // :name, @name or $name in the query
  std::size_t max_rows = 0;             // 0: all
};

// What is known about a fingerprint before a plan runs.
struct PriorRun {
  std::string run_id, status;
  std::int64_t attempt = 1;
};

class Reader {
 public:
  // The store directory ("runs"). UserError(Store) with a sentence when there is none, when it is not ours, damaged,
  // too new, or on a network file system.
  explicit Reader(std::filesystem::path store);
  ~Reader();
  Reader(Reader&&) noexcept;

  RunList runs(const RunQuery& query = {}) const;
  RunRow row(const std::string& run_id) const;
  RunDetail run(const std::string& run_id) const;

  std::vector<ParamRow> params(const std::string& run_id) const;
  // All steps of the named metrics (all when empty), by name and step.
  std::vector<MetricRow> metrics(const std::string& run_id, const std::vector<std::string>& names = {}) const;
  std::vector<TensorRow> tensors(const std::string& run_id) const;
  // The payload, from the database or its file, verified against the recorded hash. Without a step: the last one.
  // UserError(NoMatch, near names) for an unknown name.
  TensorData tensor(const std::string& run_id, std::string_view name, std::optional<std::int64_t> step = {}) const;
  std::vector<OutputRow> outputs(const std::string& run_id) const;
  std::vector<ArtifactRow> artifacts(const std::string& run_id) const;
  std::vector<InputRow> inputs(const std::string& run_id) const;
  std::vector<EventRow> events(const std::string& run_id) const;
  std::vector<OutputDefRow> declared_outputs(std::string_view kind, std::int64_t kind_version) const;

  // RUN: a prefix (>= 4 characters, any case) of the id or of the short id, an exact match wins; @1 = newest, @2 next.
  std::string resolve_run(std::string_view selector) const;
  // SEL: RUN, batch:NAME, batch:NAME/ENTRY, batch:NAME/17 (item), fp:HEXPREFIX. In plan order for batches.
  std::vector<std::string> resolve(std::string_view selector) const;

  std::vector<BatchRow> batches(std::int64_t limit = 0) const;    // newest first
  BatchRow batch(std::string_view name_or_id) const;              // the newest of that name
  std::vector<ItemRow> items(const std::string& batch_id) const;  // in plan order
  std::vector<std::string> batch_runs(
      const std::string& batch_id) const;  // answering the items, cached included, in order

  // The newest succeeded, not deleted run of each fingerprint whose artifact files are all there with the recorded
  // size.
  std::map<std::string, std::string> succeeded(const std::vector<std::string>& fingerprints) const;
  // The newest attempt of each fingerprint, whatever became of it.
  std::map<std::string, PriorRun> last_attempts(const std::vector<std::string>& fingerprints) const;

  // One read-only statement over the views. UserError(Usage) for anything that writes, attaches or does not parse, and
  // when the timeout passes.
  SqlResult sql(std::string_view query, const SqlOptions& options = {}) const;

  StoreInfo info() const;
  const std::filesystem::path& directory() const noexcept { return store_; }

 private:
  std::filesystem::path store_;
  std::unique_ptr<Connection> db_;
};

}  // namespace diopter::store
