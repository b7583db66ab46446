// Everything about one run.
#include <limits>

#include "base/error.hpp"
#include "base/files.hpp"
#include "store/reader.hpp"
#include "store/reader_detail.hpp"

namespace diopter::store {
namespace {

Json param_value(const Value& value, const std::string& type) {
  if (type == "bool") return std::get<std::int64_t>(value) != 0;
  if (type == "json") return Json::parse(std::get<std::string>(value));
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return {};
}

std::vector<TagRow> tags_of(Connection& db, std::int64_t seq) {
  std::vector<TagRow> out;
  Statement at = db.prepare("SELECT key, value FROM tag WHERE run_seq = ? ORDER BY key");
  for (at.bind(seq); at.step();) out.push_back({at.text(0), at.text(1)});
  return out;
}

Json environment_of(Connection& db, std::int64_t seq) {
  Statement at = db.prepare("SELECT e.doc FROM run r JOIN environment e ON e.sha256 = r.env_sha256 WHERE r.seq = ?");
  return at.bind(seq).step() ? Json::parse(at.text(0)) : Json();
}

Json text_or_null(const Statement& at, int column) { return at.is_null(column) ? Json() : Json(at.text(column)); }
Json integer_or_null(const Statement& at, int column) { return at.is_null(column) ? Json() : Json(at.integer(column)); }

Json source_of(Connection& db, std::int64_t seq) {
  Statement at = db.prepare(
      "SELECT s.repo_url, s.commit_sha, s.branch, s.dirty, s.diff, s.diff_omitted, s.untracked, s.build"
      " FROM run r JOIN source_state s ON s.sha256 = r.source_sha256 WHERE r.seq = ?");
  if (!at.bind(seq).step()) return {};
  return {{"repo_url", text_or_null(at, 0)},       {"commit", text_or_null(at, 1)},
          {"branch", text_or_null(at, 2)},         {"dirty", at.is_null(3) ? Json() : Json(at.integer(3) != 0)},
          {"diff", text_or_null(at, 4)},           {"diff_omitted", text_or_null(at, 5)},
          {"untracked", parsed(at.maybe_text(6))}, {"build", parsed(at.maybe_text(7))}};
}

Json plugin_of(Connection& db, std::int64_t seq) {
  Statement at = db.prepare(
      "SELECT p.plugin_id, p.version, p.path, p.abi_stamp, p.sha256 FROM run r"
      " JOIN plugin p ON p.sha256 = r.plugin_sha256 WHERE r.seq = ?");
  if (!at.bind(seq).step()) return {};
  return {{"id", at.text(0)},
          {"version", at.text(1)},
          {"path", text_or_null(at, 2)},
          {"abi_stamp", text_or_null(at, 3)},
          {"sha256", at.text(4)}};
}

Json writer_of(Connection& db, std::int64_t seq) {
  Statement at = db.prepare(
      "SELECT w.id, w.host, w.boot_id, w.pid, w.scheduler, w.scheduler_job, w.opened_at_us, w.heartbeat_at_us,"
      " w.ended_at_us, w.end_kind, w.end_proof FROM run r JOIN writer w ON w.id = r.writer_id WHERE r.seq = ?");
  if (!at.bind(seq).step()) return {};
  return {{"id", at.text(0)},
          {"host", at.text(1)},
          {"boot_id", text_or_null(at, 2)},
          {"pid", at.integer(3)},
          {"scheduler", text_or_null(at, 4)},
          {"scheduler_job", text_or_null(at, 5)},
          {"opened_at_us", at.integer(6)},
          {"heartbeat_at_us", at.integer(7)},
          {"ended_at_us", integer_or_null(at, 8)},
          {"end_kind", text_or_null(at, 9)},
          {"end_proof", text_or_null(at, 10)}};
}

Provenance provenance_of(Connection& db, std::int64_t seq) {
  Provenance out{.environment = environment_of(db, seq),
                 .source_state = source_of(db, seq),
                 .plugin = plugin_of(db, seq),
                 .writer = writer_of(db, seq)};
  Statement at = db.prepare(
      "SELECT m.path, m.sha256, m.source, b.plan_sha256, m.resolved, b.argv, b.overrides FROM run r"
      " JOIN batch b ON b.id = r.batch_id JOIN manifest m ON m.sha256 = b.manifest_sha256 WHERE r.seq = ?");
  if (!at.bind(seq).step()) return out;
  out.manifest_path = at.maybe_text(0);
  out.manifest_sha256 = at.maybe_text(1);
  out.manifest_source = at.maybe_text(2);
  out.plan_sha256 = at.maybe_text(3);
  out.manifest_resolved = parsed(at.maybe_text(4));
  out.argv = parsed(at.maybe_text(5));
  out.overrides = parsed(at.maybe_text(6));
  return out;
}

}  // namespace

std::vector<ParamRow> Reader::params(const std::string& run_id) const {
  std::vector<ParamRow> out;
  Statement at = db_->prepare(
      "SELECT p.key, CASE p.type WHEN 'text_ref' THEN t.body ELSE p.value END, p.type, p.swept FROM param p"
      " LEFT JOIN text_blob t ON p.type = 'text_ref' AND t.sha256 = p.value WHERE p.run_seq = ? ORDER BY p.key");
  for (at.bind(run_seq(*db_, run_id)); at.step();) {
    out.push_back({at.text(0), param_value(at.value(1), at.text(2)), at.text(2), at.integer(3) != 0});
  }
  return out;
}

std::vector<MetricRow> Reader::metrics(const std::string& run_id, const std::vector<std::string>& names) const {
  std::vector<MetricRow> out;
  Statement at = db_->prepare(
      "SELECT name, step, value, is_nan, stderr FROM metric WHERE run_seq = ?1 AND"
      " (?2 OR name IN (SELECT value FROM json_each(?3))) ORDER BY name, step");
  for (at.bind(run_seq(*db_, run_id), names.empty(), json_array(names)); at.step();) {
    out.push_back({at.text(0), at.integer(1),
                   at.integer(3) != 0 ? std::numeric_limits<double>::quiet_NaN() : at.real(2), at.maybe_real(4)});
  }
  return out;
}

std::vector<OutputRow> Reader::outputs(const std::string& run_id) const {
  std::vector<OutputRow> out;
  Statement at = db_->prepare(
      "SELECT o.name, o.type, o.doc, a.path FROM output o LEFT JOIN artifact a ON a.id = o.artifact_id"
      " WHERE o.run_seq = ? ORDER BY o.name");
  for (at.bind(run_seq(*db_, run_id)); at.step();) {
    OutputRow row{at.text(0), at.text(1), parsed(at.maybe_text(2)), at.maybe_text(3)};
    const bool is_document = row.type == "table" || row.type == "figure" || row.type == "text";
    if (row.path && is_document) row.doc = Json::parse(base::read_file(store_ / *row.path));
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<ArtifactRow> Reader::artifacts(const std::string& run_id) const {
  std::vector<ArtifactRow> out;
  Statement at = db_->prepare("SELECT name, kind, path, bytes, sha256 FROM artifact WHERE run_seq = ? ORDER BY name");
  for (at.bind(run_seq(*db_, run_id)); at.step();)
    out.push_back({at.text(0), at.text(1), at.text(2), at.integer(3), at.text(4)});
  return out;
}

std::vector<InputRow> Reader::inputs(const std::string& run_id) const {
  std::vector<InputRow> out;
  Statement at = db_->prepare(
      "SELECT i.role, f.kind, f.path, f.bytes, i.sha256, f.meta FROM run_input i"
      " JOIN input_file f ON f.sha256 = i.sha256 WHERE i.run_seq = ? ORDER BY i.role, i.sha256");
  for (at.bind(run_seq(*db_, run_id)); at.step();) {
    out.push_back({at.text(0), at.text(1), at.maybe_text(2), at.integer(3), at.text(4), parsed(at.maybe_text(5))});
  }
  return out;
}

std::vector<EventRow> Reader::events(const std::string& run_id) const {
  std::vector<EventRow> out;
  Statement at = db_->prepare(
      "SELECT id, batch_id, at_us, level, kind, author, message, data FROM event WHERE run_seq = ? ORDER BY id");
  for (at.bind(run_seq(*db_, run_id)); at.step();) {
    out.push_back({at.integer(0), run_id, at.maybe_text(1), at.integer(2), at.text(3), at.text(4), at.maybe_text(5),
                   at.maybe_text(6), parsed(at.maybe_text(7))});
  }
  return out;
}

std::vector<OutputDefRow> Reader::declared_outputs(std::string_view kind, std::int64_t kind_version) const {
  std::vector<OutputDefRow> out;
  Statement at = db_->prepare(
      "SELECT name, type, unit, doc, better FROM output_def WHERE kind = ? AND kind_version = ? ORDER BY name");
  for (at.bind(kind, kind_version); at.step();) {
    out.push_back({at.text(0), at.text(1), at.maybe_text(2), at.maybe_text(3), at.text(4)});
  }
  return out;
}

RunDetail Reader::run(const std::string& run_id) const {
  const ReadTransaction view(*db_);
  RunDetail out;
  {
    Statement at = db_->prepare(run_columns() + "WHERE r.id = ?");
    if (!at.bind(run_id).step()) throw base::UserError(base::Exit::NoMatch, "no run has the id " + run_id);
    out.row = run_row(at);
  }
  const std::int64_t seq = out.row.seq;
  {
    Statement at = db_->prepare("SELECT config, error_detail FROM run_doc WHERE run_seq = ?");
    if (at.bind(seq).step()) {
      out.config = Json::parse(at.text(0));
      out.error_detail = at.maybe_text(1);
    }
  }
  out.metrics = out.row.last_metrics = last_metrics(*db_, seq);
  out.params = params(run_id);
  out.tags = tags_of(*db_, seq);
  out.tensors = tensors(run_id);
  out.outputs = outputs(run_id);
  out.artifacts = artifacts(run_id);
  out.inputs = inputs(run_id);
  out.events = events(run_id);
  out.declared = declared_outputs(out.row.kind, out.row.kind_version);
  out.provenance = provenance_of(*db_, seq);
  return out;
}

}  // namespace diopter::store
