// run_started and run_ended.
#include "base/hash.hpp"
#include "store/config_params.hpp"
#include "store/optional_json.hpp"
#include "store/segment_rows.hpp"

namespace diopter::store {
namespace {

bool contains(const Json& list, const std::string& key) {
  for (const Json& item : list) {
    if (item == key) return true;
  }
  return false;
}

// What full-text search finds as "prompt": texts whose key speaks of prompts.
std::string prompt_text(const Json& config) {
  std::string out;
  for (const ParamCell& cell : explode(config)) {
    const bool is_text = cell.type == "text" || cell.type == "text_ref" || cell.type == "json";
    if (!is_text || cell.key.find("prompt") == std::string::npos) continue;
    out += std::get<std::string>(cell.value) + '\n';
  }
  return out;
}

bool is_terminal(const std::string& status) {
  return status == "succeeded" || status == "failed" || status == "cancelled" || status == "timeout";
}

}  // namespace

void SegmentRows::run_started(const Record& record) {
  const Json& body = record.body;
  RunState& run = state_of(record.run);
  const bool writer_is_dead = [&] {
    Statement dead = db_.prepare("SELECT 1 FROM writer WHERE id = ? AND end_kind = 'dead'");
    return dead.bind(segment_.writer).step();
  }();
  if (run.seq != 0 || writer_is_dead) {  // a run id is minted once: this is a replay, or somebody who was given up
    if (run.rejected++ == 0) run.first_rejected_n = record.n;
    ++rejected_;
    return;
  }
  db_.prepare(
         "INSERT INTO run(id, batch_id, item, entry, attempt, retry_of, parent_id, kind, kind_version, name, note, "
         "model, seed,"
         " dtype, backend, fingerprint, status, started_at_us, writer_id, plugin_sha256, source_sha256, env_sha256)"
         " VALUES (?,?,?,?,?, (SELECT id FROM run WHERE id = ?), (SELECT id FROM run WHERE id = ?), ?,?,?,?,?,?,?,?,?,"
         " 'running', ?,?,?,?,?)")
      .bind(record.run, segment_.batch, maybe_integer(body, "item"), maybe_text(body, "entry"),
            maybe_integer(body, "attempt").value_or(1), maybe_text(body, "retry_of"), maybe_text(body, "parent"),
            body.at("kind").get<std::string>(), body.at("kind_version").get<std::int64_t>(), maybe_text(body, "name"),
            maybe_text(body, "note"), maybe_text(body, "model"), maybe_integer(body, "seed"), maybe_text(body, "dtype"),
            maybe_text(body, "backend"), body.at("fingerprint").get<std::string>(), record.at, segment_.writer,
            maybe_text(body, "plugin"), maybe_text(body, "source"), maybe_text(body, "environment"))
      .run();
  run.seq = db_.last_id();
  run.accepts = true;
  db_.prepare("INSERT INTO run_doc(run_seq, config) VALUES (?,?)").bind(run.seq, body.at("config").dump()).run();
  params(run.seq, body);
  const Json tags = body.value("tags", Json::object());
  for (const auto& [key, value] : tags.items()) {
    db_.prepare("INSERT INTO tag(run_seq, key, value) VALUES (?,?,?)")
        .bind(run.seq, key, value.get<std::string>())
        .run();
  }
  const Json inputs = body.value("inputs", Json::array());
  for (const Json& input : inputs) {
    db_.prepare("INSERT INTO run_input(run_seq, role, sha256) VALUES (?,?,?) ON CONFLICT DO NOTHING")
        .bind(run.seq, input.at("role").get<std::string>(), input.at("sha256").get<std::string>())
        .run();
  }
  index_text(run.seq, body);
}

void SegmentRows::params(std::int64_t seq, const Json& body) {
  const Json swept = body.value("swept", Json::array());
  for (const ParamCell& cell : explode(body.at("config"))) {
    Value value = cell.value;
    if (cell.type == "text_ref") {
      const auto& text = std::get<std::string>(cell.value);
      std::string sha256 = base::sha256(text);
      db_.prepare("INSERT INTO text_blob(sha256, body) VALUES (?,?) ON CONFLICT DO NOTHING").bind(sha256, text).run();
      value = std::move(sha256);
    }
    db_.prepare("INSERT INTO param(run_seq, key, value, type, swept) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING")
        .bind(seq, cell.key, value, cell.type, contains(swept, cell.key))
        .run();
  }
}

void SegmentRows::index_text(std::int64_t seq, const Json& body) {
  std::string tags;
  const Json tag_object = body.value("tags", Json::object());
  for (const auto& [key, value] : tag_object.items()) tags += key + ' ' + value.get<std::string>() + '\n';
  db_.prepare("INSERT INTO run_fts(rowid, name, note, tags, error, prompt) VALUES (?,?,?,?,'',?)")
      .bind(seq, maybe_text(body, "name").value_or(""), maybe_text(body, "note").value_or(""), tags,
            prompt_text(body.at("config")))
      .run();
}

void SegmentRows::run_ended(const Record& record, const RunState& run) {
  const Json& body = record.body;
  const std::string status = body.at("status");
  if (!is_terminal(status)) throw BadSegment("a run ended as '" + status + "'");
  auto message = maybe_text(body, "error_message");
  if (!message && (status == "failed" || status == "timeout")) message = "no message was recorded";
  db_.prepare(
         "UPDATE run SET status = ?, ended_at_us = ?, exit_code = ?, signal = ?, error_type = ?, error_message = ?,"
         " wall_ms = ?, cpu_ms = ?, peak_rss = ?, peak_vram = ? WHERE seq = ? AND writer_id = ? AND status = 'running'")
      .bind(status, record.at, maybe_integer(body, "exit_code"), maybe_integer(body, "signal"),
            maybe_text(body, "error_type"), message, maybe_real(body, "wall_ms"), maybe_real(body, "cpu_ms"),
            maybe_integer(body, "peak_rss"), maybe_integer(body, "peak_vram"), run.seq, segment_.writer)
      .run();
  if (const auto detail = maybe_text(body, "error_detail")) {
    db_.prepare("UPDATE run_doc SET error_detail = ? WHERE run_seq = ?").bind(*detail, run.seq).run();
  }
  if (message) db_.prepare("UPDATE run_fts SET error = ? WHERE rowid = ?").bind(*message, run.seq).run();
  if (status == "succeeded") {
    // Of several successes the one that started first answers the item, in whatever order they arrive.
    db_.prepare(
           "UPDATE plan_item SET run_id = ?1, cached = 0, skip = NULL WHERE (run_id IS NULL OR (cached = 0 AND run_id >"
           " ?1)) AND (batch_id, item) = (SELECT batch_id, item FROM run WHERE seq = ?2)")
        .bind(record.run, run.seq)
        .run();
  }
}

}  // namespace diopter::store
