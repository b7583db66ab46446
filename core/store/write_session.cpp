#include "store/write_session.hpp"

#include <sqlite3.h>

#include <thread>

#include "base/error.hpp"
#include "store/sql_error.hpp"

namespace diopter::store {
namespace fs = std::filesystem;
namespace {

constexpr auto kRetryFor = std::chrono::seconds(30);

std::uintmax_t wal_bytes(const fs::path& database) {
  std::error_code error;
  const auto size = fs::file_size(database.string() + "-wal", error);
  return error ? 0 : size;
}

// The caller holds the lock. A reader in the middle of a query is no error: the next session tries again, so the wait
// is short.
bool checkpoint_under_lock(Connection& db) {
  sqlite3_busy_timeout(db.handle(), 200);
  const int code = sqlite3_wal_checkpoint_v2(db.handle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(db.handle(), 30'000);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) db.fail(code);
  return code == SQLITE_OK;
}

}  // namespace

Store::Store(fs::path directory, const StoreOptions& options)
    : directory_(std::move(directory)), db_(open_for_writing(directory_, options)) {
  // When FTS5 of SQLite 3.40 joins a write transaction and finds no memory to prepare a statement of its own, it loses
  // the error, and SQLite writes through a null pointer. A query prepares that statement where an error is an error.
  (void)db_->integer("SELECT count(*) FROM run_fts WHERE run_fts MATCH 'warm'");
}

void Store::transact(const std::function<void(Connection&)>& work) {
  const auto deadline = std::chrono::steady_clock::now() + kRetryFor;
  for (;;) {
    try {
      WriteSession session(*this);
      work(session.db());
      session.commit();
      return;
    } catch (const SqlError& error) {
      if (!error.busy() || std::chrono::steady_clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

bool Store::checkpoint() {
  StoreLock lock(directory_);
  return checkpoint_under_lock(*db_);
}

WriteSession::WriteSession(Store& store, std::chrono::milliseconds patience) : store_(store) {
  lock_.emplace(store.directory(), patience);
  db().begin("BEGIN IMMEDIATE");
}

WriteSession::~WriteSession() { db().roll_back(); }

void WriteSession::commit() {
  db().execute("COMMIT");
  if (wal_bytes(db().file()) > kCheckpointBytes) checkpoint();
}

bool WriteSession::checkpoint() {
  DIOPTER_CHECK(!db().in_transaction(), "checkpoint before commit");
  return checkpoint_under_lock(db());
}

}  // namespace diopter::store
