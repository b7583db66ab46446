// Every write, sync, open and truncate of the database fails once and for ever, until an operation survives: afterwards
// the store holds all of it or nothing.
#include <cstdio>

#include "core/exec/recording.hpp"
#include "core/store/scratch.hpp"
#include "core/store/shim_vfs.hpp"

namespace diopter::testing {
namespace {

using store::Store;

struct Mode {
  bool for_ever, no_space;
};
constexpr Mode kModes[] = {{false, false}, {false, true}, {true, false}, {true, true}};

// Runs `operation` with the n-th call failing, n = 1.. until none fires. `verify(succeeded)` looks afterwards.
int every_fault(const std::function<void()>& prepare, const std::function<void()>& operation,
                const std::function<void(bool)>& verify) {
  int faults = 0;
  for (const Mode& mode : kModes) {
    for (int n = 1;; ++n) {
      prepare();
      arm({.at = n, .for_ever = mode.for_ever, .no_space = mode.no_space});
      bool succeeded = true;
      try {
        operation();
      } catch (const base::UserError& error) {
        succeeded = false;
        EXPECT_EQ(error.exit(), base::Exit::Store) << error.what();
      }
      const bool fired = fault_fired();
      arm({});
      verify(succeeded);
      if (::testing::Test::HasFailure()) {
        ADD_FAILURE() << "at call " << n << (mode.for_ever ? ", for ever" : ", once")
                      << (mode.no_space ? ", no space" : ", input/output error");
        return faults;
      }
      if (!fired) {
        EXPECT_TRUE(succeeded);
        break;
      }
      ++faults;
    }
  }
  return faults;
}

void copy_store(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

TEST(Fault, CreatingAStore) {
  Scratch scratch;
  const int faults = every_fault([&] { fs::remove_all(scratch.store()); }, [&] { Store store(scratch.store()); },
                                 [&](bool) {
                                   Store store(scratch.store());
                                   EXPECT_EQ(count(store, "SELECT count(*) FROM migration"), 1);
                                   expect_sound(store);
                                 });
  std::printf("create: %d faults\n", faults);
  EXPECT_GT(faults, 40);
}

TEST(Fault, ATransactionWithACheckpoint) {
  Scratch scratch;
  { Store store(scratch.path() / "template"); }
  const int faults = every_fault([&] { copy_store(scratch.path() / "template", scratch.store()); },
                                 [&] {
                                   Store store(scratch.store());
                                   store::WriteSession session(store);
                                   for (int i = 0; i < 20; ++i) {
                                     session.db()
                                         .prepare("INSERT INTO text_blob(sha256, body) VALUES (?,?)")
                                         .bind(std::to_string(i), std::string(5000, 'x'))
                                         .run();
                                   }
                                   session.commit();
                                   session.checkpoint();
                                 },
                                 [&](bool succeeded) {
                                   Store store(scratch.store());
                                   const auto rows = count(store, "SELECT count(*) FROM text_blob");
                                   EXPECT_TRUE(rows == 20 || rows == 0) << rows;
                                   if (succeeded) {
                                     EXPECT_EQ(rows, 20);
                                   }
                                   expect_sound(store);
                                 });
  std::printf("transaction: %d faults\n", faults);
  EXPECT_GT(faults, 40);
}

TEST(Fault, AnIngest) {
  Scratch scratch;
  const fs::path original = scratch.path() / "original";
  const store::Plan plan = sample_plan(1);
  const fs::path made = make_batch(original / "spool", plan);
  {
    exec::SpoolWriter writer(made, quiet());
    exec::Recorder run(writer, start_of(plan, 0));
    for (int step = 0; step < 10; ++step) run.metric("kl", step, step);
    run.tensor(vector_of("large", "u8", std::string(70'000, 'x')));
    run.end(success());
    writer.close();
  }
  { Store store(original); }
  const fs::path batch = scratch.spool() / plan.header.batch_id;
  const int faults =
      every_fault([&] { copy_store(original, scratch.store()); },
                  [&] {
                    Store store(scratch.store());
                    store::ingest_batch(store, batch, {.keep_spool = true});
                  },
                  [&](bool) {
                    Store store(scratch.store());
                    const auto metrics = count(store, "SELECT count(*) FROM metric");
                    EXPECT_TRUE(metrics == 0 || metrics == 10) << metrics;
                    const auto again = store::ingest_batch(store, batch, {.keep_spool = true});
                    EXPECT_TRUE(again.problems.empty()) << again.problems.front().message;
                    EXPECT_EQ(count(store, "SELECT count(*) FROM metric"), 10);
                    EXPECT_EQ(count(store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 1);
                    EXPECT_EQ(count(store, "SELECT count(*) FROM batch WHERE closed_at_us IS NOT NULL"), 1);
                    const store::Reader reader(scratch.store());
                    EXPECT_EQ(reader.tensor(reader.resolve_run("@1"), "large").bytes, std::string(70'000, 'x'));
                  });
  std::printf("ingest: %d faults\n", faults);
  EXPECT_GT(faults, 40);
}

TEST(Fault, TheSentenceOfAFullDisk) {
  Scratch scratch;
  Store store(scratch.store());
  arm({.at = 1, .for_ever = true, .no_space = true});
  expect_user_error(
      [&] { store.transact([](store::Connection& db) { db.execute("INSERT INTO store_meta VALUES ('a', 1)"); }); },
      base::Exit::Store,
      "cannot write the store " + (scratch.store() / "runs.db").string() + ": No space left on device");
  arm({});
  store.transact([](store::Connection& db) { db.execute("INSERT INTO store_meta VALUES ('a', 1)"); });
  EXPECT_EQ(count(store, "SELECT count(*) FROM store_meta WHERE key = 'a'"), 1);
}

}  // namespace
}  // namespace diopter::testing
