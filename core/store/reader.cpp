#include "store/reader.hpp"

#include <sqlite3.h>

#include "base/error.hpp"
#include "base/ulid.hpp"
#include "store/opener.hpp"
#include "store/reader_detail.hpp"
#include "store/schema.hpp"

namespace diopter::store {
namespace fs = std::filesystem;

ReadTransaction::ReadTransaction(Connection& db) : db_(db) { db_.begin("BEGIN"); }
ReadTransaction::~ReadTransaction() { db_.roll_back(); }

std::string displayed_status() {
  return "CASE WHEN r.status = 'running' AND w.heartbeat_at_us < (unixepoch() - 120) * 1000000 THEN 'stale' ELSE "
         "r.status END";
}

std::string run_columns() {
  return "SELECT r.seq, r.id, b.name, r.batch_id, r.entry, r.item, r.attempt, r.kind, r.kind_version, r.name, r.note, "
         "r.model,"
         " r.seed, r.dtype, r.backend, " +
         displayed_status() +
         ", r.started_at_us, r.ended_at_us, r.exit_code, r.signal, r.error_type, r.error_message, w.host, "
         "w.scheduler_job,"
         " s.commit_sha, p.plugin_id, p.version, s.dirty, r.fingerprint, r.parent_id, r.retry_of, r.archived_at_us,"
         " r.deleted_at_us FROM run r LEFT JOIN writer w ON w.id = r.writer_id LEFT JOIN batch b ON b.id = r.batch_id"
         " LEFT JOIN source_state s ON s.sha256 = r.source_sha256 LEFT JOIN plugin p ON p.sha256 = r.plugin_sha256 ";
}

RunRow run_row(const Statement& at) {
  RunRow row;
  row.seq = at.integer(0);
  row.id = at.text(1);
  row.short_id = base::short_id(row.id);
  row.batch = at.maybe_text(2);
  row.batch_id = at.maybe_text(3);
  row.entry = at.maybe_text(4);
  row.item = at.maybe_integer(5);
  row.attempt = at.integer(6);
  row.kind = at.text(7);
  row.kind_version = at.integer(8);
  row.name = at.maybe_text(9);
  row.note = at.maybe_text(10);
  row.model = at.maybe_text(11);
  row.seed = at.maybe_integer(12);
  row.dtype = at.maybe_text(13);
  row.backend = at.maybe_text(14);
  row.status = at.text(15);
  row.started_at_us = at.integer(16);
  row.ended_at_us = at.maybe_integer(17);
  if (row.ended_at_us) row.seconds = static_cast<double>(*row.ended_at_us - row.started_at_us) / 1e6;
  row.exit_code = at.maybe_integer(18);
  row.signal = at.maybe_integer(19);
  row.error_type = at.maybe_text(20);
  row.error = at.maybe_text(21);
  row.host = at.maybe_text(22);
  row.scheduler_job = at.maybe_text(23);
  row.commit = at.maybe_text(24);
  row.plugin = at.maybe_text(25);
  row.plugin_version = at.maybe_text(26);
  if (const auto dirty = at.maybe_integer(27)) row.dirty = *dirty != 0;
  row.fingerprint = at.text(28);
  row.parent_id = at.maybe_text(29);
  row.retry_of = at.maybe_text(30);
  row.archived_at_us = at.maybe_integer(31);
  row.deleted_at_us = at.maybe_integer(32);
  return row;
}

std::int64_t run_seq(Connection& db, const std::string& run_id) {
  Statement found = db.prepare("SELECT seq FROM run WHERE id = ?");
  if (found.bind(run_id).step()) return found.integer(0);
  throw base::UserError(base::Exit::NoMatch, "no run has the id " + run_id);
}

Json parsed(const std::optional<std::string>& text) { return text ? Json::parse(*text) : Json(); }
std::string json_array(const std::vector<std::string>& texts) { return Json(texts).dump(); }

Reader::Reader(fs::path store) : store_(std::move(store)), db_(open_for_reading(store_)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

StoreInfo Reader::info() const {
  const ReadTransaction view(*db_);
  StoreInfo out;
  const auto meta = [&](const char* key) {
    Statement found = db_->prepare("SELECT value FROM store_meta WHERE key = ?");
    return found.bind(key).step() ? found.value(0) : Value();
  };
  if (const Value id = meta("store_id"); std::holds_alternative<std::string>(id))
    out.store_id = std::get<std::string>(id);
  if (const Value at = meta("created_at_us"); std::holds_alternative<std::int64_t>(at))
    out.created_at_us = std::get<std::int64_t>(at);
  out.sqlite_version = sqlite3_libversion();
  {
    Statement mode = db_->prepare("PRAGMA journal_mode");
    if (mode.step()) out.journal_mode = mode.text(0);
  }
  out.schema_version = db_->integer("PRAGMA user_version");
  out.runs = db_->integer("SELECT count(*) FROM run WHERE archived_at_us IS NULL AND deleted_at_us IS NULL");
  out.batches = db_->integer("SELECT count(*) FROM batch");
  std::error_code error;
  const fs::path file = database_file(store_);
  if (const auto size = fs::file_size(file, error); !error) out.database_bytes = static_cast<std::int64_t>(size);
  if (const auto size = fs::file_size(file.string() + "-wal", error); !error)
    out.wal_bytes = static_cast<std::int64_t>(size);
  return out;
}

}  // namespace diopter::store
