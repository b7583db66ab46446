// Which files are opened, and the sentence for each that is not.
#include "store/opener.hpp"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "core/store/scratch.hpp"
#include "store/file_system.hpp"
#include "store/lock.hpp"

namespace diopter::testing {
namespace {

using base::Exit;
using store::Store;

void write_raw(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

// Runs in a child that may not write anywhere: root is above permissions. Returns its exit code.
int in_unprivileged_child(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(99);
    int code = 98;
    try {
      code = work();
    } catch (const base::UserError& error) {
      std::fprintf(stderr, "%s\n", error.what());
      code = static_cast<int>(error.exit());
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Opener, ANewStoreHasTheWholeSchemaInWalMode) {
  Scratch scratch;
  Store store(scratch.store());
  auto& db = store.connection();
  EXPECT_EQ(db.integer("PRAGMA application_id"), 0x44494F50);
  EXPECT_EQ(db.integer("PRAGMA user_version"), 1);
  EXPECT_EQ(db.integer("PRAGMA page_size"), 8192);
  EXPECT_EQ(db.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'view'"), 14);
  EXPECT_EQ(
      db.integer(
          "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('batch','plan_item','writer','run',"
          "'run_doc','param','tag','metric','metric_last','artifact','tensor','output','run_input','event',"
          "'imported_segment','run_fts','manifest','environment','source_state','plugin','input_file','text_blob',"
          "'output_def','migration','store_meta')"),
      25);
  auto mode = db.prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode.step());
  EXPECT_EQ(mode.text(0), "wal");
  auto meta = db.prepare("SELECT value FROM store_meta WHERE key = 'views'");
  ASSERT_TRUE(meta.step());
  EXPECT_EQ(meta.text(0), "diopter.views/1");
  const store::Reader reader(scratch.store());
  EXPECT_EQ(reader.runs().total, 0);
  EXPECT_EQ(reader.info().schema_version, 1);
}

TEST(Opener, EveryConnectionHasTheSettings) {
  Scratch scratch;
  Store store(scratch.store());
  auto& db = store.connection();
  EXPECT_EQ(db.integer("PRAGMA foreign_keys"), 1);
  EXPECT_EQ(db.integer("PRAGMA busy_timeout"), 30'000);
  EXPECT_EQ(db.integer("PRAGMA synchronous"), 2);
  EXPECT_EQ(db.integer("PRAGMA wal_autocheckpoint"), 0);
  EXPECT_EQ(db.integer("PRAGMA temp_store"), 2);
  EXPECT_EQ(db.integer("PRAGMA journal_size_limit"), 67'108'864);
  EXPECT_EQ(db.integer("PRAGMA trusted_schema"), 1);
  for (const int option : {SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE}) {
    int on = -1;
    sqlite3_db_config(db.handle(), option, -1, &on);
    EXPECT_EQ(on, 1) << option;
  }
  for (const int option : {SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER}) {
    int on = -1;
    sqlite3_db_config(db.handle(), option, -1, &on);
    EXPECT_EQ(on, 0) << option;
  }
  const auto reader = store::open_for_reading(scratch.store());
  EXPECT_EQ(reader->integer("PRAGMA query_only"), 1);
}

TEST(Opener, NoStore) {
  Scratch scratch;
  expect_user_error([&] { store::Reader reader(scratch.store()); }, Exit::Store,
                    "there is no run store in " + scratch.store().string());
  EXPECT_FALSE(fs::exists(scratch.store()));
}

TEST(Opener, AnEmptyFileBecomesAStore) {
  Scratch scratch;
  write_raw(scratch.store() / "runs.db", "");
  EXPECT_EQ(count(*std::make_unique<Store>(scratch.store()), "SELECT count(*) FROM run"), 0);
}

TEST(Opener, NotADatabase) {
  Scratch scratch;
  write_raw(scratch.store() / "runs.db", std::string(5000, 'x'));
  const std::string sentence = "runs.db is not a diopter store: it is not an SQLite database";
  expect_user_error([&] { Store store(scratch.store()); }, Exit::Store, sentence);
  expect_user_error([&] { store::Reader reader(scratch.store()); }, Exit::Store, sentence);
  EXPECT_EQ(fs::file_size(scratch.store() / "runs.db"), 5000u);
}

TEST(Opener, SomebodyElsesDatabase) {
  Scratch scratch;
  fs::create_directories(scratch.store());
  store::Connection(scratch.store() / "runs.db", store::Access::Create)
      .execute("CREATE TABLE t(x); INSERT INTO t VALUES (1)");
  expect_user_error([&] { Store store(scratch.store()); }, Exit::Store,
                    "runs.db is not a diopter store: it is an SQLite database of something else");
}

TEST(Opener, ANewerStoreIsRefusedNamingBothVersions) {
  Scratch scratch;
  {
    Store store(scratch.store());
    store.transact([](store::Connection& db) { db.execute("PRAGMA user_version = 7"); });
    store.transact(
        [](store::Connection& db) { db.execute("UPDATE store_meta SET value = 5 WHERE key = 'min_reader'"); });
  }
  const std::string sentence = "runs.db has schema version 7, this diopter knows versions up to 1";
  expect_user_error([&] { Store store(scratch.store()); }, Exit::Store, sentence);
  expect_user_error([&] { store::Reader reader(scratch.store()); }, Exit::Store, sentence);
}

TEST(Opener, ANewerStoreThatAllowsOldReadersIsRead) {
  Scratch scratch;
  {
    Store store(scratch.store());
    store.transact([](store::Connection& db) { db.execute("PRAGMA user_version = 2"); });
  }
  EXPECT_EQ(store::Reader(scratch.store()).runs().total, 0);
  expect_user_error([&] { Store store(scratch.store()); }, Exit::Store, "has schema version 2");
}

TEST(Opener, ADamagedStore) {
  Scratch scratch;
  {
    Store store(scratch.store());
    store.checkpoint();
  }
  const fs::path file = scratch.store() / "runs.db";
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(file.string() + suffix);
  fs::resize_file(file, 8192 * 3);
  expect_user_error([&] { store::Reader reader(scratch.store()); }, Exit::Store,
                    "runs.db is damaged: database disk image is malformed");
}

TEST(Opener, EveryTruncationAndManyBitFlipsAreErrorsOrReadable) {
  Scratch scratch;
  {
    Store store(scratch.store());
    store.checkpoint();
  }
  const fs::path file = scratch.store() / "runs.db";
  const std::string whole = base::read_file(file);
  std::uint64_t seed = 1;
  int refused = 0;
  for (int round = 0; round < 200; ++round) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    std::string bytes = whole;
    if (round % 4 == 0) bytes.resize((seed >> 33) % whole.size());
    else
      for (int i = 0; i < 1 + round % 7; ++i)
        bytes[(seed >> (20 + i)) % (round % 2 ? 4096 : whole.size())] ^= static_cast<char>(1 << (i % 8));
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(file.string() + suffix);
    write_raw(file, bytes);
    try {
      const store::Reader reader(scratch.store());
      reader.runs();
      reader.info();
    } catch (const base::UserError& error) {
      EXPECT_EQ(error.exit(), Exit::Store) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST(Opener, NetworkFileSystemsAreRefusedByName) {
  expect_user_error([] { store::require_local_file_system("/data/runs", 0x6969); }, Exit::Store,
                    "the store /data/runs is on a network file system (NFS), where SQLite's locks do not hold");
  EXPECT_EQ(store::network_file_system(0x0BD00BD0), "Lustre");
  EXPECT_EQ(store::network_file_system(0x65735546), "FUSE");
  EXPECT_EQ(store::network_file_system(0xFFFFFFFFFF534D42), "CIFS");  // f_type is a signed int on some machines
  EXPECT_EQ(store::network_file_system(0xEF53), std::nullopt);
  EXPECT_NO_THROW(store::require_local_file_system("/data/runs", 0x01021994));
}

TEST(Opener, AReadOnlyDirectoryCanBeReadAndNotWritten) {
  Scratch scratch;
  {
    Store store(scratch.store());
    store.checkpoint();
  }
  const fs::path file = scratch.store() / "runs.db";
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(file.string() + suffix);
  fs::permissions(scratch.path(), fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  for (const fs::path& path : {scratch.store(), file, scratch.store() / ".lock"}) {
    fs::permissions(path,
                    fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
  }
  EXPECT_EQ(in_unprivileged_child([&] { return store::Reader(scratch.store()).runs().total == 0 ? 0 : 1; }), 0);
  EXPECT_EQ(in_unprivileged_child([&] {
              Store store(scratch.store());
              store.transact([](store::Connection& db) { db.execute("INSERT INTO store_meta VALUES ('a', 1)"); });
              return 0;
            }),
            3);
  fs::permissions(scratch.store(), fs::perms::owner_all);
}

TEST(Opener, AHeldLockNamesItsHolder) {
  Scratch scratch;
  Store store(scratch.store());
  const store::StoreLock lock(scratch.store());
  expect_user_error([&] { store::StoreLock second(scratch.store(), std::chrono::milliseconds(60)); }, Exit::Store,
                    "has been locked for 0 s by pid " + std::to_string(::getpid()) + " (");
}

TEST(Opener, AForkedChildMayNotUseTheStore) {
  Scratch scratch;
  Store store(scratch.store());
  const pid_t pid = ::fork();
  if (pid == 0) {
    int code = 1;
    try {
      store.connection().integer("SELECT 1");
    } catch (const std::logic_error&) {
      code = 0;
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(store.connection().integer("SELECT 1"), 1);
}

}  // namespace
}  // namespace diopter::testing
