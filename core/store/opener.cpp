#include "store/opener.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/files.hpp"
#include "store/creation.hpp"
#include "store/file_system.hpp"
#include "store/lock.hpp"
#include "store/sql_error.hpp"

namespace diopter::store {
namespace fs = std::filesystem;
namespace {

bool missing_or_empty(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error || size == 0;
}

[[noreturn]] void refuse_foreign(const Connection& db) {
  throw base::UserError(base::Exit::Store,
                        db.file().string() + " is not a diopter store: it is an SQLite database of something else",
                        "--store DIR names another one", "store.not_ours");
}

[[noreturn]] void refuse_newer(const Connection& db, std::int64_t found, std::int64_t known) {
  throw base::UserError(base::Exit::Store,
                        "the store " + db.file().string() + " has schema version " + std::to_string(found) +
                            ", this diopter knows versions up to " + std::to_string(known),
                        "use the newer diopter that wrote it", "store.newer");
}

std::optional<std::int64_t> min_reader(Connection& db) {
  Statement found = db.prepare("SELECT value FROM store_meta WHERE key = 'min_reader'");
  if (!found.step()) return {};
  return found.integer(0);
}

// Every schema version has store_meta; an application_id without it means that pages are gone.
void require_whole(Connection& db) {
  Statement found = db.prepare("SELECT count(*) FROM sqlite_schema WHERE name IN ('store_meta', 'migration')");
  if (!found.step() || found.integer(0) != 2) {
    throw_sql_error(SQLITE_CORRUPT, 0, "its tables are missing", db.file());
  }
}

std::int64_t version_of_ours(Connection& db) {
  if (db.integer("PRAGMA application_id") != kApplicationId) refuse_foreign(db);
  require_whole(db);
  return db.integer("PRAGMA user_version");
}

std::unique_ptr<Connection> open_read_only(const fs::path& file, const StoreOptions& options) {
  try {
    return std::make_unique<Connection>(file, Access::ReadOnly, options.vfs);
  } catch (const SqlError& error) {
    // A WAL database wants to create its -shm file. Where nobody can write, nobody else is writing either.
    const bool cannot_create = (error.code() & 0xff) == SQLITE_CANTOPEN || (error.code() & 0xff) == SQLITE_READONLY;
    if (!cannot_create || !missing_or_empty(file.string() + "-wal")) throw;
  }
  return std::make_unique<Connection>(file, Access::Immutable, options.vfs);
}

}  // namespace

fs::path database_file(const fs::path& store) { return store / "runs.db"; }

std::unique_ptr<Connection> open_for_writing(const fs::path& store, const StoreOptions& options) {
  require_local_file_system(store, file_system_type(store));
  base::make_directories(store);
  const fs::path file = database_file(store);
  if (missing_or_empty(file)) {
    StoreLock lock(store);
    if (missing_or_empty(file)) create_database(file, options.vfs);  // else another process was faster
  }
  auto db = std::make_unique<Connection>(file, Access::ReadWrite, options.vfs);
  const std::int64_t version = version_of_ours(*db);
  if (version > options.schema.version) refuse_newer(*db, version, options.schema.version);
  if (version < options.schema.version) {
    StoreLock lock(store);
    migrate(*db, options.schema);
  }
  return db;
}

std::unique_ptr<Connection> open_for_reading(const fs::path& store, const StoreOptions& options) {
  const fs::path file = database_file(store);
  std::error_code error;
  if (!fs::exists(file, error)) {
    const std::string reason =
        error && error != std::errc::no_such_file_or_directory ? ": " + error.message() : std::string();
    throw base::UserError(base::Exit::Store, "there is no run store in " + store.string() + reason,
                          "diopter run makes one; --store DIR names another place", "store.missing");
  }
  require_local_file_system(store, file_system_type(store));
  auto db = open_read_only(file, options);
  const std::int64_t version = version_of_ours(*db);
  const std::int64_t known = options.schema.version;
  if (version > known && min_reader(*db).value_or(version) > known) refuse_newer(*db, version, known);
  if (version < known) {
    throw base::UserError(base::Exit::Store,
                          "the store " + file.string() + " has schema version " + std::to_string(version) +
                              ", this diopter reads version " + std::to_string(known),
                          "the next diopter run with this store upgrades it and keeps a backup", "store.older");
  }
  return db;
}

}  // namespace diopter::store
