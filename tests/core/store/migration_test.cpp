// An artificial older schema becomes the present one, or stays as it was.
#include "store/migrations.hpp"

#include "core/store/old_schema.hpp"
#include "core/store/scratch.hpp"

namespace diopter::testing {
namespace {

using store::Store;

TEST(Migration, ABackupThenTheNewVersionWithItsAuditTrail) {
  Scratch scratch;
  make_version_zero(scratch.store());
  Store store(scratch.store(), {.schema = from_zero(kToVersionOne)});
  EXPECT_EQ(count(store, "PRAGMA user_version"), 1);
  EXPECT_EQ(count(store, "SELECT count(*) FROM imported_segment"), 0);
  auto trail = store.connection().prepare("SELECT version, name, ddl_sha256 FROM migration");
  ASSERT_TRUE(trail.step());
  EXPECT_EQ(trail.integer(0), 1);
  EXPECT_EQ(trail.text(1), "segments");
  EXPECT_EQ(trail.text(2), base::sha256(kToVersionOne));
  store::Connection backup(scratch.store() / "runs.db.v0.bak", store::Access::ReadOnly);
  EXPECT_EQ(backup.integer("PRAGMA user_version"), 0);
  EXPECT_EQ(backup.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'imported_segment'"), 0);
  EXPECT_EQ(count(store, "PRAGMA foreign_keys"), 1);
  expect_sound(store);
}

TEST(Migration, AFailingStepChangesNothing) {
  Scratch scratch;
  make_version_zero(scratch.store());
  expect_user_error(
      [&] {
        Store store(scratch.store(), {.schema = from_zero(std::string(kToVersionOne) + "; CREATE TABLE run(x)")});
      },
      base::Exit::Store, "table run already exists");
  store::Connection db(scratch.store() / "runs.db", store::Access::ReadOnly);
  EXPECT_EQ(db.integer("PRAGMA user_version"), 0);
  EXPECT_EQ(db.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'imported_segment'"), 0);
}

TEST(Migration, AStepThatBreaksAReferenceIsRolledBack) {
  Scratch scratch;
  make_version_zero(scratch.store());
  const std::string orphan = "INSERT INTO run_doc(run_seq, config) VALUES (99, '{}')";
  expect_user_error([&] { Store store(scratch.store(), {.schema = from_zero(orphan)}); }, base::Exit::Store,
                    "would break a reference of table run_doc to run; nothing was changed");
  store::Connection db(scratch.store() / "runs.db", store::Access::ReadOnly);
  EXPECT_EQ(db.integer("SELECT count(*) FROM run_doc"), 0);
}

TEST(Migration, AMissingStepIsSaidBeforeAnythingIsTouched) {
  Scratch scratch;
  make_version_zero(scratch.store());
  expect_user_error([&] { Store store(scratch.store()); }, base::Exit::Store,
                    "has schema version 0, and this diopter knows no way from there to version 1");
  EXPECT_FALSE(fs::exists(scratch.store() / "runs.db.v0.bak"));
  expect_user_error([&] { store::Reader reader(scratch.store()); }, base::Exit::Store,
                    "has schema version 0, this diopter reads version 1");
}

}  // namespace
}  // namespace diopter::testing
