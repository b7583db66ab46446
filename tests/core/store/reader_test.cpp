// Listings, selectors and SQL of the user.
#include "store/reader.hpp"

#include <cmath>

#include "core/exec/recording.hpp"
#include "store/batch_rows.hpp"

namespace diopter::testing {
namespace {

using base::Exit;
using exec::Recorder;
using store::Json;
using store::Value;

// Four runs: items 0 and 1 of two entries succeed, 2 fails, 3 is running.
class ReaderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world = new World; }
  static void TearDownTestSuite() {
    delete world;
    world = nullptr;
  }

  struct World {
    Scratch scratch;
    store::Plan plan = sample_plan(5, "ioi/heads");
    exec::SpoolWriter* writer;
    std::vector<std::string> ids;

    World() {
      plan.items[1].entry = "second";
      const fs::path batch = make_batch(scratch.spool(), plan);
      writer = new exec::SpoolWriter(batch, quiet());
      for (int item = 0; item < 4; ++item) add(item);
      writer->seal();
      store::Store store(scratch.store());
      const auto report = store::ingest_batch(store, batch);
      EXPECT_TRUE(report.problems.empty());
    }
    ~World() {
      running.reset();
      delete writer;
    }

    void add(int item) {
      auto start = start_of(plan, item);
      start.run_id = "01KAN5W00000000000ABCDEFG" + std::to_string(item);
      start.config["prompt"] = item == 1 ? "When Mary and John" : "The Colosseum";
      if (item == 1) start.tags = {{"paper", "fig-2"}};
      if (item == 2) start.kind = "patching";
      ids.push_back(start.run_id);
      if (item == 3) {
        running = std::make_unique<Recorder>(*writer, start);
        return;
      }
      Recorder run(*writer, start);
      run.metric("kl", item == 0 ? NAN : 0.5);
      if (item == 2)
        run.end({.status = exec::RunStatus::Failed,
                 .exit_code = 1,
                 .error_type = "oom",
                 .message = "out of memory budget (8GB)"});
      else run.end(success());
    }
    std::unique_ptr<Recorder> running;
  };
  static World* world;

  store::Reader reader() { return store::Reader(world->scratch.store()); }
  const std::string& id(int item) { return world->ids.at(static_cast<std::size_t>(item)); }
  std::vector<std::string> listed(const store::RunQuery& query) {
    std::vector<std::string> out;
    for (const auto& row : reader().runs(query).rows) out.push_back(row.id);
    return out;
  }
};
ReaderTest::World* ReaderTest::world = nullptr;

TEST_F(ReaderTest, NewestFirstWithTheTotal) {
  const auto list = reader().runs({.limit = 2});
  EXPECT_EQ(list.total, 4);
  ASSERT_EQ(list.rows.size(), 2u);
  EXPECT_EQ(list.rows[0].id, id(3));
  EXPECT_EQ(list.rows[1].id, id(2));
  EXPECT_EQ(listed({.limit = 0}).size(), 4u);
  EXPECT_EQ(listed({.limit = 1, .offset = 3}), std::vector<std::string>{id(0)});
}

TEST_F(ReaderTest, Conditions) {
  using Ids = std::vector<std::string>;
  EXPECT_EQ(listed({.status = {"failed"}}), Ids{id(2)});
  EXPECT_EQ(listed({.status = {"running", "failed"}}), (Ids{id(3), id(2)}));
  EXPECT_EQ(listed({.kind = {"patching"}}), Ids{id(2)});
  EXPECT_EQ(listed({.model = {"gpt2"}}), Ids{});
  EXPECT_EQ(listed({.batch = "ioi/heads"}).size(), 4u);
  EXPECT_EQ(listed({.tags = {{"paper", ""}}}), Ids{id(1)});
  EXPECT_EQ(listed({.tags = {{"paper", "fig-3"}}}), Ids{});
  EXPECT_EQ(listed({.search = "mary"}), Ids{id(1)});
  EXPECT_EQ(listed({.search = "memory budget"}), Ids{id(2)});
  EXPECT_EQ(listed({.search = "\"; DROP TABLE run; --"}), Ids{});
  EXPECT_EQ(listed({.since_us = base::now_us() + 1'000'000}), Ids{});
  EXPECT_EQ(listed({.until_us = base::now_us()}).size(), 4u);
  EXPECT_EQ(listed({.ids = {{id(1), id(0)}}}), (Ids{id(1), id(0)}));
  expect_user_error([&] { listed({.batch = "ioi/haeds"}); }, Exit::NoMatch,
                    "no batch is called 'ioi/haeds' (did you mean 'ioi/heads'?)");
}

TEST_F(ReaderTest, ARowSaysWhatATableShows) {
  const auto row = reader().row(id(2));
  EXPECT_EQ(row.short_id, "ABCDEFG2");
  EXPECT_EQ(row.error, "out of memory budget (8GB)");
  EXPECT_EQ(row.entry, "main");
  EXPECT_EQ(row.model, "organism");
  EXPECT_TRUE(row.seconds.has_value());
  EXPECT_TRUE(std::isnan(reader().row(id(0)).last_metrics.at(0).value));
  EXPECT_FALSE(reader().row(id(3)).seconds.has_value());
}

TEST_F(ReaderTest, Selectors) {
  using Ids = std::vector<std::string>;
  const auto r = reader();
  EXPECT_EQ(r.resolve_run("@1"), id(3));
  EXPECT_EQ(r.resolve_run("@4"), id(0));
  EXPECT_EQ(r.resolve_run("abcdefg2"), id(2));
  EXPECT_EQ(r.resolve_run(id(1)), id(1));
  EXPECT_EQ(r.resolve("batch:ioi/heads"), (Ids{id(0), id(1)}));
  EXPECT_EQ(r.resolve("batch:ioi/heads/second"), Ids{id(1)});
  EXPECT_EQ(r.resolve("batch:ioi/heads/0"), Ids{id(0)});
  EXPECT_EQ(r.resolve("fp:" + fingerprint_of(2).substr(0, 12)), Ids{id(2)});
  expect_user_error([&] { r.resolve_run("@5"); }, Exit::NoMatch, "no run matches '@5'");
  expect_user_error([&] { r.resolve_run("@x"); }, Exit::Usage, "@ is followed by 1 for the newest run");
  expect_user_error([&] { r.resolve_run("ABC"); }, Exit::Usage, "an id has 4 to 26 characters");
  expect_user_error([&] { r.resolve_run("AB'; --"); }, Exit::Usage, "'AB'; --' names no run");
  expect_user_error([&] { r.resolve_run("ZZZZ"); }, Exit::NoMatch, "no run matches 'ZZZZ'");
  expect_user_error([&] { r.resolve_run("ABCD"); }, Exit::Usage, "'ABCD' matches 4 runs: ABCDEFG3 (steering, ");
  expect_user_error([&] { r.resolve("batch:ioi/heads/secnod"); }, Exit::NoMatch,
                    "has no entry 'secnod' (did you mean 'second'?)");
  expect_user_error([&] { r.resolve("batch:ioi/heads/3"); }, Exit::NoMatch, "no run matches");
}

TEST_F(ReaderTest, ItemsHaveTheStateOfTheirLastRun) {
  const auto items = reader().items(world->plan.header.batch_id);
  ASSERT_EQ(items.size(), 5u);
  EXPECT_EQ(items[0].state, "succeeded");
  EXPECT_EQ(items[2].state, "failed");
  EXPECT_EQ(items[3].state, "running");
  EXPECT_EQ(items[4].state, "queued");
  EXPECT_EQ(items[2].run_id, std::nullopt);
}

TEST_F(ReaderTest, WhatAPlannerAsks) {
  const auto done = reader().succeeded({fingerprint_of(0), fingerprint_of(2), fingerprint_of(4)});
  EXPECT_EQ(done, (std::map<std::string, std::string>{{fingerprint_of(0), id(0)}}));
  const auto last = reader().last_attempts({fingerprint_of(2), fingerprint_of(4)});
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last.at(fingerprint_of(2)).run_id, id(2));
  EXPECT_EQ(last.at(fingerprint_of(2)).status, "failed");
}

TEST_F(ReaderTest, SqlReads) {
  const auto result =
      reader().sql("SELECT count(*) AS n, typeof(1.5), 'x', x'00ff', NULL FROM v_run WHERE kind = :kind",
                   {.params = {{"kind", std::string("steering")}}});
  EXPECT_EQ(result.columns[0], "n");
  EXPECT_EQ(result.rows.at(0), (std::vector<Value>{std::int64_t{3}, std::string("real"), std::string("x"),
                                                   store::Blob{std::string("\0\xff", 2)}, Value()}));
  EXPECT_EQ(reader()
                .sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", {.max_rows = 3})
                .rows.size(),
            3u);
  for (const char* view : {"v_run", "v_run_all", "v_param", "v_tag", "v_metric", "v_metric_last", "v_long", "v_tensor",
                           "v_output", "v_artifact", "v_input", "v_item", "v_batch", "v_event"}) {
    EXPECT_NO_THROW(reader().sql(std::string("SELECT * FROM ") + view)) << view;
  }
  EXPECT_EQ(reader().sql("SELECT kind FROM v_run GROUP BY 1 ORDER BY 1;").rows.size(), 2u);
}

TEST_F(ReaderTest, SqlDoesNothingElse) {
  const auto r = reader();
  for (const char* query :
       {"DELETE FROM run", "INSERT INTO store_meta VALUES ('a', 1)", "ATTACH '/tmp/x.db' AS x",
        "PRAGMA journal_mode = DELETE", "PRAGMA query_only = OFF", "PRAGMA user_version = 5", "CREATE TEMP TABLE t(x)",
        "BEGIN", "VACUUM", "SELECT load_extension('x')", "DROP VIEW v_run", "REINDEX", "DETACH main"}) {
    expect_user_error([&] { r.sql(query); }, Exit::Usage, "sql: ");
  }
  expect_user_error([&] { r.sql("SELECT 1; SELECT 2"); }, Exit::Usage, "one statement at a time");
  expect_user_error([&] { r.sql(" -- nothing"); }, Exit::Usage, "there is no statement");
  expect_user_error([&] { r.sql("SELECT * FROM runz"); }, Exit::Usage, "no such table: runz");
  expect_user_error([&] { r.sql("SELECT :x"); }, Exit::Usage, "parameter :x has no value");
  expect_user_error(
      [&] {
        r.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
              {.timeout = std::chrono::milliseconds(100)});
      },
      Exit::Usage, "the query took longer than its timeout");
  EXPECT_EQ(r.runs().total, 4);
}

TEST_F(ReaderTest, TheQuestionsOfTheManualRun) {
  const auto long_form = reader().sql(
      "SELECT param_value AS coefficient, count(*) AS n, avg(value) AS kl FROM v_long"
      " WHERE run_id IN (SELECT run_id FROM v_item WHERE batch = 'ioi/heads')"
      " AND param = 'coefficient' AND metric = 'kl' GROUP BY 1 ORDER BY 1");
  ASSERT_EQ(long_form.rows.size(), 2u);
  EXPECT_EQ(long_form.rows[1], (std::vector<Value>{0.5, std::int64_t{1}, 0.5}));
  const auto best = reader().sql(
      "SELECT model, id, kl FROM (SELECT r.model, r.id, m.value AS kl, row_number() OVER (PARTITION BY r.model"
      " ORDER BY m.value) AS k FROM v_run r JOIN v_metric_last m ON m.run_id = r.id AND m.name = 'kl'"
      " WHERE r.kind = 'steering' AND r.status = 'succeeded' AND m.is_nan = 0) WHERE k = 1");
  ASSERT_EQ(best.rows.size(), 1u);
  EXPECT_EQ(best.rows[0][1], Value(id(1)));
  EXPECT_EQ(reader().sql("SELECT state, count(*) FROM v_item WHERE batch = 'ioi/heads' GROUP BY 1").rows.size(), 4u);
}

}  // namespace
}  // namespace diopter::testing
