// Every allocation of SQLite fails, once and for ever, around a whole write session: open, migrate, ingest, close.
// Afterwards the store holds all of the segment or nothing, and the next session finishes the work.
#include <algorithm>
#include <cstdlib>
#include <map>

#include <fmt/core.h>

#include "core/exec/recording.hpp"
#include "core/store/canonical_dump.hpp"
#include "core/store/failing_allocator.hpp"
#include "core/store/old_schema.hpp"

namespace diopter::testing {
namespace {

using exec::Recorder;
using exec::SpoolWriter;
using store::Store;

// One segment with every type of record.
void write_everything(const fs::path& batch, const store::Plan& plan, const fs::path& scratch) {
  SpoolWriter writer(batch, quiet());
  const std::string hash = base::sha256("fact");
  writer.append({{"heartbeat", ""}});
  writer.fact("environment", {{"sha256", hash}, {"doc", {{"host", {{"name", "h"}}}}}});
  writer.fact("source_state",
              {{"sha256", hash}, {"commit", "abc"}, {"dirty", false}, {"build", {{"compiler", "g++"}}}});
  writer.fact("plugin", {{"sha256", hash}, {"id", "org.example"}, {"version", "1.0"}});
  writer.fact("input_file", {{"sha256", hash}, {"kind", "vector"}, {"bytes", 5}});
  writer.fact("output_def", {{"kind", "steering"}, {"kind_version", 3}, {"name", "kl"}, {"type", "metric"}});
  writer.fact("event", {{"level", "info"}, {"kind", "tick"}, {"message", "of the writer"}});
  auto start = start_of(plan, 0);
  start.plugin = start.source = start.environment = hash;
  start.config = {{"coefficient", 0.5}, {"prompt", std::string(600, 'x')}, {"list", {1, 2}}};
  start.tags = {{"owner", "me"}};
  start.inputs = {{"vector", hash}};
  Recorder run(writer, start);
  for (int step = 0; step < 3; ++step) run.metric("kl", step, step, 0.1);
  run.tensor(vector_of("small", "u8", "abc"));
  run.tensor(vector_of("large", "u8", std::string(65'600, 'x')));
  run.table("top", {{"columns", {"token", "rank"}}, {"token", {"a"}}}, {vector_of("top.rank", "u8", "7")});
  run.output("notes", "text", std::string(70'000, 'y'));
  base::write_file_atomically(scratch / "log.txt", "hello\n");
  run.file("log.txt", "log", scratch / "log.txt");
  run.event(exec::Level::Warning, "guard.gap", "small", {{"gap", 0.1}});
  run.end(success());
  writer.close();
}

void replace_by_copy(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

struct Session {
  Scratch scratch;
  store::Plan plan = sample_plan(1);
  fs::path original = scratch.path() / "original";
  fs::path batch = scratch.spool() / plan.header.batch_id;
  std::string complete;

  Session() {
    write_everything(make_batch(original / "spool", plan), plan, scratch.path());
    make_version_zero(original);
    prepare();
    run();
    Store store(scratch.store());
    complete = canonical_dump(store);
  }

  void prepare() const { replace_by_copy(original, scratch.store()); }

  // SQLite 3.40's json_valid() says no when it has no memory: the segment is then reported and left for the next time.
  void run() const {
    Store store(scratch.store(), {.schema = from_zero(kToVersionOne)});
    const auto report = store::ingest_batch(store, batch, {.keep_spool = true});
    if (!report.problems.empty()) throw base::UserError(base::Exit::Store, report.problems.front().message);
  }

  // What a failed or finished session left.
  void verify(bool succeeded) const {
    {
      Store store(scratch.store(), {.schema = from_zero(kToVersionOne)});
      EXPECT_EQ(count(store, "SELECT count(*) FROM migration"), 1);
      const auto taken = count(store, "SELECT count(*) FROM imported_segment");
      if (succeeded) {
        EXPECT_EQ(taken, 1);
      }
      for (const char* table : {"writer", "run", "run_doc", "tag", "run_input", "metric_last", "run_fts"}) {
        EXPECT_EQ(count(store, std::string("SELECT count(*) FROM ") + table), taken) << table;
      }
      EXPECT_EQ(count(store, "SELECT count(*) FROM metric"), 3 * taken);
      EXPECT_EQ(count(store, "SELECT count(*) FROM tensor"), 3 * taken);
      EXPECT_EQ(count(store, "SELECT count(*) FROM event"), 2 * taken);
      expect_sound(store);
    }
    run();
    Store store(scratch.store());
    EXPECT_EQ(first_difference(complete, canonical_dump(store)), "");
  }
};

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::max(std::atoll(text), 1LL) : otherwise;
}
std::int64_t stride() { return from_environment("DIOPTER_MEMORY_STRIDE", 97); }  // 1: every allocation, ten minutes
std::int64_t first() { return from_environment("DIOPTER_MEMORY_FIRST", 1); }

struct Tally {
  std::int64_t tried = 0, errors = 0, last = 0;
  std::map<std::string, int> sentences;  // without the path
};

// n = first, first + stride, ... until a session in which nothing failed.
void every_nth(const Session& session, bool for_ever, Tally& tally) {
  for (std::int64_t n = first();; n += stride()) {
    session.prepare();
    fail_allocation(n, for_ever);
    bool succeeded = true;
    try {
      session.run();
    } catch (const base::UserError& error) {
      succeeded = false;
      ++tally.errors;
      EXPECT_EQ(error.exit(), base::Exit::Store) << error.what();
      std::string sentence = error.what();
      if (const auto at = sentence.find(session.scratch.path().string()); at != std::string::npos)
        sentence.replace(at, session.scratch.path().string().size(), "...");
      ++tally.sentences[sentence];
    }
    const bool fired = allocation_failed();
    tally.last = n;
    fail_allocation(0, false);
    session.verify(succeeded);
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "at allocation " << n << (for_ever ? " and all after it" : "");
      return;
    }
    if (!fired) {
      EXPECT_TRUE(succeeded);
      return;
    }
    ++tally.tried;
  }
}

TEST(MemoryFault, AWriteSessionIsAllOrNothing) {
  ASSERT_TRUE(allocator_is_installed());
  const Session session;
  Tally tally;
  for (const bool for_ever : {false, true}) {
    every_nth(session, for_ever, tally);
    if (HasFailure()) return;
  }
  fmt::print("memory: {} failing allocations tried (every {}. of about {}, once and for ever), {} errors\n",
             tally.tried, stride(), tally.last, tally.errors);
  for (const auto& [sentence, times] : tally.sentences) {
    fmt::print("  {:6}  {}\n", times, sentence);
    const bool of_json = sentence.find("CHECK constraint failed: ") != std::string::npos &&
                         sentence.find("json_valid(") != std::string::npos;
    EXPECT_TRUE(of_json || sentence.find("not enough memory") != std::string::npos) << sentence;
  }
  EXPECT_GT(tally.errors, 100);
}

// The session failed half-way and its connection stays open: nobody may have to wait for it, and it works again as soon
// as there is memory.
TEST(MemoryFault, AnOpenStoreNeitherHoldsTheDatabaseNorForgetsHowToWrite) {
  Scratch scratch;
  Store store(scratch.store()), other(scratch.store());
  const char* const kRows = "SELECT count(*) FROM text_blob";
  int errors = 0;
  bool fired = true;
  for (int n = 1; fired; ++n) {
    const auto before = count(other, kRows);
    fail_allocation(n, true);
    bool succeeded = true;
    try {
      store.transact([&](store::Connection& db) {
        for (int i = 0; i < 5; ++i) {
          db.prepare("INSERT INTO text_blob(sha256, body) VALUES (?,?) -- " + std::to_string(n))
              .bind(std::to_string(n) + "." + std::to_string(i), std::string(3000, 'x'))
              .run();
        }
      });
    } catch (const base::UserError&) {
      succeeded = false;
      ++errors;
    }
    fired = allocation_failed();
    fail_allocation(0, false);
    other.transact(
        [&](store::Connection& db) { db.prepare("INSERT INTO text_blob(sha256, body) VALUES (?, '')").bind(n).run(); });
    ASSERT_EQ(count(store, kRows), before + 1 + (succeeded ? 5 : 0)) << "at allocation " << n;
  }
  fmt::print("memory: {} sessions of an open store failed and left nothing behind\n", errors);
  EXPECT_GT(errors, 10);
}

}  // namespace
}  // namespace diopter::testing
