#include "store/connection.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/error.hpp"
#include "store/sql_error.hpp"

namespace diopter::store {
namespace {

int open_flags(Access access) {
  const int kCommon = SQLite::OPEN_URI | SQLite::OPEN_FULLMUTEX;
  switch (access) {
    case Access::ReadOnly:
    case Access::Immutable: return SQLite::OPEN_READONLY | kCommon;
    case Access::ReadWrite: return SQLite::OPEN_READWRITE | kCommon;
    case Access::Create: return SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | kCommon;
  }
  return kCommon;
}

// "file:/a/b%3f?mode=ro": '%', '?' and '#' would otherwise be syntax.
std::string uri(const std::filesystem::path& file, Access access) {
  std::string out = "file:";
  for (const char c : std::filesystem::absolute(file).string()) {
    if (c == '%') out += "%25";
    else if (c == '?') out += "%3f";
    else if (c == '#') out += "%23";
    else out += c;
  }
  if (access == Access::ReadOnly) out += "?mode=ro";
  if (access == Access::Immutable) out += "?mode=ro&immutable=1";
  return out;
}

}  // namespace

Connection::Connection(std::filesystem::path database, Access access, const char* vfs)
    : file_(std::move(database)), owner_(::getpid()) {
  try {
    db_ = std::make_unique<SQLite::Database>(uri(file_, access), open_flags(access), 0, vfs ? vfs : "");
  } catch (const SQLite::Exception& error) {
    throw_sql_error(error.getExtendedErrorCode(), 0, error.getErrorStr(), file_);
  }
  configure();
  if (access == Access::ReadOnly || access == Access::Immutable) execute("PRAGMA query_only = ON");
}

// A forked child must not close: SQLite would act on files whose locks belong to the parent.
Connection::~Connection() {
  if (owner_ != ::getpid()) {
    (void)db_.release();
    return;
  }
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
}

void Connection::configure() {
  sqlite3* db = handle();
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, 30'000);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);  // = PRAGMA foreign_keys, without touching the file
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, nullptr);
  // The race of 3.7.0 to 3.51.2 between a checkpoint and a WAL reset: nobody checkpoints outside our lock.
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_autocheckpoint(db, 0);
  execute("PRAGMA temp_store = MEMORY");
  execute("PRAGMA journal_size_limit = 67108864");
  execute("PRAGMA synchronous = FULL");
}

Statement Connection::prepare(std::string_view sql) {
  DIOPTER_CHECK(owner_ == ::getpid(), "a store connection was used after fork()");
  auto [at, is_new] = statements_.try_emplace(std::string(sql), nullptr);
  if (is_new) {
    const int code =
        sqlite3_prepare_v3(handle(), at->first.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &at->second, nullptr);
    if (code != SQLITE_OK) {
      statements_.erase(at);
      fail(code);
    }
  }
  return Statement(*this, at->second);
}

void Connection::execute(const std::string& sql) {
  DIOPTER_CHECK(owner_ == ::getpid(), "a store connection was used after fork()");
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

void Connection::begin(const char* sql) {
  roll_back();
  (void)prepare("ROLLBACK");
  execute(sql);
}

void Connection::roll_back() noexcept {
  if (!in_transaction()) return;  // after a failed write SQLite has often rolled back by itself
  const auto prepared = statements_.find("ROLLBACK");
  if (prepared == statements_.end()) return;
  sqlite3_step(prepared->second);
  sqlite3_reset(prepared->second);
}

std::int64_t Connection::changes() const { return sqlite3_changes64(handle()); }
std::int64_t Connection::last_id() const { return sqlite3_last_insert_rowid(handle()); }
bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }
sqlite3* Connection::handle() const { return db_->getHandle(); }

std::int64_t Connection::integer(std::string_view sql) {
  Statement statement = prepare(sql);
  DIOPTER_CHECK(statement.step(), "a query without a row");
  return statement.integer(0);
}

void Connection::fail(int code) const {
  sqlite3* db = handle();
  const int primary = code & 0xff;
  const bool from_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
  throw_sql_error(code, from_system ? sqlite3_system_errno(db) : 0, sqlite3_errmsg(db), file_);
}

}  // namespace diopter::store
