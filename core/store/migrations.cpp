#include "store/migrations.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "store/connection.hpp"
#include "store/program.hpp"

namespace diopter::store {
namespace {

const Migration& step_from(const SchemaPlan& plan, std::int64_t version, const Connection& db) {
  const auto at =
      std::find_if(plan.steps.begin(), plan.steps.end(), [&](const Migration& m) { return m.from == version; });
  if (at == plan.steps.end()) {
    throw base::UserError(base::Exit::Store,
                          "the store " + db.file().string() + " has schema version " + std::to_string(version) +
                              ", and this diopter knows no way from there to version " + std::to_string(plan.version),
                          "open it with the version of diopter that wrote it, and upgrade step by step", "store.older");
  }
  return *at;
}

void apply(Connection& db, const Migration& step) {
  db.execute(step.sql);
  db.execute("PRAGMA user_version = " + std::to_string(step.from + 1));
  db.prepare("INSERT INTO migration(version, name, ddl_sha256, app_version, applied_at_us) VALUES (?,?,?,?,?)")
      .bind(step.from + 1, step.name, base::sha256(step.sql), program_version(), base::now_us())
      .run();
}

void require_foreign_keys(Connection& db) {
  Statement broken = db.prepare("PRAGMA foreign_key_check");
  if (!broken.step()) return;
  throw base::UserError(base::Exit::Store, "migrating " + db.file().string() + " would break a reference of table " +
                                               broken.text(0) + " to " + broken.text(2) + "; nothing was changed");
}

}  // namespace

SchemaPlan released_schema() { return {}; }

void backup_database(Connection& db, const std::filesystem::path& to) {
  const std::filesystem::path temporary = to.string() + ".tmp";
  std::filesystem::remove(temporary);
  {
    Connection copy(temporary, Access::Create);
    sqlite3_backup* backup = sqlite3_backup_init(copy.handle(), "main", db.handle(), "main");
    if (backup == nullptr) copy.fail(sqlite3_extended_errcode(copy.handle()));
    const int stepped = sqlite3_backup_step(backup, -1);
    const int finished = sqlite3_backup_finish(backup);
    if (finished != SQLITE_OK) copy.fail(finished);
    if (stepped != SQLITE_DONE) copy.fail(stepped);
    copy.execute("PRAGMA journal_mode = DELETE");  // one file that can be moved and mailed
  }
  base::sync_file(temporary);
  std::filesystem::rename(temporary, to);
  base::sync_directory(to.parent_path());
}

void migrate(Connection& db, const SchemaPlan& plan) {
  const std::int64_t found = db.integer("PRAGMA user_version");
  if (found >= plan.version) return;
  for (std::int64_t version = found; version < plan.version; ++version) step_from(plan, version, db);
  backup_database(db, db.file().string() + ".v" + std::to_string(found) + ".bak");

  db.execute("PRAGMA foreign_keys = OFF");  // cannot change inside a transaction
  try {
    db.begin("BEGIN IMMEDIATE");
    for (std::int64_t version = db.integer("PRAGMA user_version"); version < plan.version; ++version) {
      apply(db, step_from(plan, version, db));
    }
    require_foreign_keys(db);
    db.execute("COMMIT");
  } catch (...) {
    db.roll_back();
    db.execute("PRAGMA foreign_keys = ON");
    throw;
  }
  db.execute("PRAGMA foreign_keys = ON");
}

}  // namespace diopter::store
