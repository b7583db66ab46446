#include "core/cli/sample_store.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/canonical_json.hpp"
#include "base/hash.hpp"
#include "store/write_session.hpp"

namespace diopter::test {
namespace {

using base::Json;
using store::Connection;

constexpr std::int64_t kStarted = 1'764'000'000'000'000;  // 2025-11-24T16:00:00Z
const std::string kBatch = "01JDAM7VZS0000000000BATCH0", kWriter = "01JDAM7VZS000000000WRITER0";

std::string sha(const std::string& text) { return base::sha256(text); }

void add_facts(Connection& db) {
  const std::string source = "schema = 1\n[experiment]\nname = \"ioi-patching\"\n";
  const Json resolved = {
      {"experiment", {{"name", "ioi-patching"}, {"about", "Which site carries the indirect object?"}}}};
  db.prepare("INSERT INTO manifest VALUES (?, 'experiments/ioi.toml', ?, ?, 1)")
      .bind(sha("manifest"), source, resolved.dump())
      .run();
  db.prepare("INSERT INTO plugin VALUES (?, 'org.diopter.patching', '0.1.0', NULL, NULL)").bind(sha("plugin")).run();
  db.prepare(
        "INSERT INTO source_state(sha256, commit_sha, dirty, build) VALUES (?, '0123456789abcdef', 1, "
        "'{\"version\":\"0.1.0\"}')")
      .bind(sha("source"))
      .run();
  db.prepare("INSERT INTO input_file(sha256, kind, bytes, path) VALUES (?, 'model', 4096, 'organism')")
      .bind(sha("model"))
      .run();
  db.prepare(
        "INSERT INTO batch(id, name, manifest_sha256, plan_sha256, argv, overrides, executor, spool_dir, planned, "
        "created_at_us) "
        "VALUES (?, 'ioi-patching', ?, ?, '[\"diopter\",\"run\"]', '[\"model.source=gpt2\"]', 'local', 'spool', 4, ?)")
      .bind(kBatch, sha("manifest"), sha("plan"), kStarted)
      .run();
  db.prepare(
        "INSERT INTO writer(id, batch_id, host, pid, opened_at_us, heartbeat_at_us, ended_at_us, end_kind) VALUES (?, "
        "?, 'desk', 7, ?, ?, ?, 'closed')")
      .bind(kWriter, kBatch, kStarted, kStarted, kStarted)
      .run();
  db.prepare(
        "INSERT INTO output_def VALUES ('patching', 1, 'effect', 'tensor', 'logit', 'Restored logit difference.', "
        "'none')")
      .run();
  db.prepare(
        "INSERT INTO output_def VALUES ('patching', 1, 'logit_diff', 'metric', 'logit', 'Answer minus foil.', "
        "'higher')")
      .run();
  db.prepare(
        "INSERT INTO output_def VALUES ('patching', 1, 'map', 'figure', NULL, 'Effect, layer by position.', 'none')")
      .run();
}

std::int64_t add_run(Connection& db, int item, const char* id, const char* entry, const char* kind, const char* model,
                     const char* status, const char* error) {
  db.prepare("INSERT INTO plan_item(batch_id, item, entry, name, kind, fingerprint) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(kBatch, item, entry, entry, kind, sha(id))
      .run();
  db.prepare(
        "INSERT INTO run(id, batch_id, item, entry, kind, kind_version, model, seed, dtype, backend, fingerprint, "
        "status, started_at_us, ended_at_us, error_message, writer_id, plugin_sha256, source_sha256) "
        "VALUES (?, ?, ?, ?, ?, 1, ?, 0, 'float32', 'cpu', ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(id, kBatch, item, entry, kind, model, sha(id), status, kStarted + item * 1'000'000,
            kStarted + item * 1'000'000 + 30'000, error ? std::optional<std::string>(error) : std::nullopt, kWriter,
            sha("plugin"), sha("source"))
      .run();
  const std::int64_t seq = db.last_id();
  if (!error)
    db.prepare("UPDATE plan_item SET run_id = ? WHERE batch_id = ? AND item = ?").bind(id, kBatch, item).run();
  const Json config = {{"site", "resid_pre"}, {"model", {{"source", model}}}};
  db.prepare("INSERT INTO run_doc VALUES (?, ?, NULL)").bind(seq, config.dump()).run();
  db.prepare("INSERT INTO param VALUES (?, 'model.source', ?, 'text', 1)").bind(seq, model).run();
  db.prepare("INSERT INTO param VALUES (?, 'site', 'resid_pre', 'text', 0)").bind(seq).run();
  db.prepare("INSERT INTO run_input VALUES (?, 'model', ?)").bind(seq, sha("model")).run();
  return seq;
}

void add_tensor(Connection& db, std::int64_t seq, const char* name, const Json& shape, const Json& dims,
                const std::vector<float>& values) {
  std::string bytes(values.size() * 4, '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  db.prepare(
        "INSERT INTO tensor(run_seq, name, dtype, shape, dims, nbytes, sha256, vmin, vmax, data) VALUES (?, ?, 'f32', "
        "?, ?, ?, ?, -1, 1, ?)")
      .bind(seq, name, shape.dump(), dims.dump(), bytes.size(), base::sha256(bytes), store::Blob{bytes})
      .run();
}

const Json kPositions = {{"name", "pos"}, {"labels", {"<|endoftext|>", "When", " Mary", " to"}}, {"ids", {0, 1, 2, 3}}};

void add_patching(Connection& db, std::int64_t seq, float shift, double logit_diff) {
  std::vector<float> values = {0, 0, 1, 0, 0, -0.35f, 0.5f, 0.5f, 0, 0, 0.001f, 1};
  for (float& value : values) value += shift;
  add_tensor(db, seq, "effect", {3, 4}, {{{"name", "layer"}}, kPositions}, values);
  db.prepare("INSERT INTO metric(run_seq, name, value, stderr) VALUES (?, 'logit_diff', ?, 0.25)")
      .bind(seq, logit_diff)
      .run();
  const Json figure = {{"as", "heatmap"}, {"of", "effect"}, {"x", "pos"}, {"y", "layer"}, {"centre", 0}};
  db.prepare("INSERT INTO output VALUES (?, 'map', 'figure', ?, NULL)").bind(seq, figure.dump()).run();
  db.prepare(
        "INSERT INTO event(run_seq, at_us, level, kind, message) VALUES (?, ?, 'warning', 'guard.gap', 'clean - "
        "corrupted is 0.36')")
      .bind(seq, kStarted)
      .run();
}

void add_lens(Connection& db, std::int64_t seq) {
  const Json two = {{"name", "pos"}, {"labels", {"When", " Mary"}}, {"ids", {1, 2}}};
  add_tensor(db, seq, "kl", {2, 2}, {{{"name", "layer"}}, two}, {2, 1, 0.5f, 0});
  add_tensor(db, seq, "kl_low", {2, 2}, {{{"name", "layer"}}, two}, {1.5f, 0.5f, 0.25f, 0});
  add_tensor(db, seq, "kl_high", {2, 2}, {{{"name", "layer"}}, two}, {2.5f, 1.5f, 1, 0.5f});
  add_tensor(db, seq, "top.prob", {2, 2}, {{{"name", "layer"}}, two}, {0.25f, 0.5f, 0.75f, 1});
  const Json top = {{"dims", {{{"name", "layer"}}, two}},
                    {"columns",
                     {{{"name", "token"}, {"type", "token"}, {"values", {" a", " b", "\n", "</script>"}}},
                      {{"name", "prob"}, {"type", "float"}}}}};
  db.prepare("INSERT INTO output VALUES (?, 'top', 'table', ?, NULL)").bind(seq, top.dump()).run();
  db.prepare("INSERT INTO output VALUES (?, 'notes', 'text', ?, NULL)")
      .bind(seq, Json({{"markdown", "The *last* layer knows."}}).dump())
      .run();
  const Json grid = {{"as", "token_grid"}, {"of", "kl"}, {"text", "top.token"}};
  db.prepare("INSERT INTO output VALUES (?, 'grid', 'figure', ?, NULL)").bind(seq, grid.dump()).run();
}

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "diopter_sample_XXXXXX").string();
    path = std::filesystem::path(::mkdtemp(name.data())) / "runs";
    std::filesystem::create_directories(path);
    store::Store store(path);
    store.transact([](Connection& db) {
      add_facts(db);
      add_patching(db, add_run(db, 0, kFirst, "resid", "patching", "organism", "succeeded", nullptr), 0, -7.27);
      add_patching(db, add_run(db, 1, kSecond, "resid", "patching", "gpt2", "succeeded", nullptr), 0.5f, 4.1);
      add_lens(db, add_run(db, 2, kLens, "lens", "logit_lens", "organism", "succeeded", nullptr));
      add_run(db, 3, kFailed, "resid", "patching", "gpt2", "failed", "out of memory budget (8GB)");
    });
    store.checkpoint();
  }
  ~Folder() { std::filesystem::remove_all(path.parent_path()); }
};

}  // namespace

const std::filesystem::path& sample_store() {
  static const Folder folder;
  return folder.path;
}

}  // namespace diopter::test
