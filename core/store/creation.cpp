#include "store/creation.hpp"

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/ulid.hpp"
#include "store/connection.hpp"
#include "store/program.hpp"
#include "store/schema.hpp"

namespace diopter::store {
namespace fs = std::filesystem;
namespace {

void remove_with_companions(const fs::path& file) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(file.string() + suffix);
}

void fill(Connection& db) {
  const std::int64_t now = base::now_us();
  db.execute("BEGIN IMMEDIATE");
  db.execute(creation_sql());
  db.prepare("INSERT INTO migration(version, name, ddl_sha256, app_version, applied_at_us) VALUES (?,?,?,?,?)")
      .bind(kSchemaVersion, "created", base::sha256(schema_sql()), program_version(), now)
      .run();
  const auto meta = [&](const char* key, const Value& value) {
    db.prepare("INSERT INTO store_meta(key, value) VALUES (?,?)").bind(key, value).run();
  };
  meta("store_id", base::new_ulid());
  meta("created_at_us", now);
  meta("created_by", "diopter " + std::string(program_version()));
  meta("views", std::string(kViewsVersion));
  meta("min_reader", kSchemaVersion);
  db.execute("COMMIT");
}

void switch_to_wal(Connection& db) {
  Statement mode = db.prepare("PRAGMA journal_mode = WAL");
  if (mode.step() && mode.text(0) == "wal") return;
  throw base::UserError(
      base::Exit::Store,
      "cannot create the store " + db.file().string() + ": SQLite cannot keep a write-ahead log there",
      "--store DIR on a local disk", "store.no_wal");
}

}  // namespace

void create_database(const fs::path& file, const char* vfs) {
  const fs::path fresh = file.string() + ".new";
  remove_with_companions(fresh);  // of a process that died here
  {
    Connection db(fresh, Access::Create, vfs);
    db.execute(page_size_pragma());
    fill(db);
    switch_to_wal(db);
  }
  remove_with_companions(file);  // at most an empty file and its shadow
  std::error_code error;
  fs::rename(fresh, file, error);
  if (error)
    throw base::UserError(base::Exit::Store, "cannot create the store " + file.string() + ": " + error.message());
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(fresh.string() + suffix);
  base::sync_directory(file.parent_path());
}

}  // namespace diopter::store
