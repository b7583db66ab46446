// What can happen to segments between a writer and the store.
#include "store/ingest.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "core/store/batch.hpp"
#include "store/batch_rows.hpp"
#include "store/liveness.hpp"
#include "store/payload_files.hpp"
#include "store/spool_format.hpp"

namespace diopter::testing {
namespace {

using exec::Recorder;
using exec::SpoolWriter;
using store::Store;

TEST(Ingest, TwiceIsOnce) {
  Batch b;
  const fs::path writer = b.written(5);
  const fs::path copy = b.scratch.path() / "copy";
  fs::copy(writer, copy, fs::copy_options::recursive);
  const auto first = b.ingest();
  EXPECT_TRUE(first.problems.empty());
  EXPECT_EQ(first.segments, 5);
  const auto rows = count(b.store, "SELECT count(*) FROM metric") + count(b.store, "SELECT count(*) FROM event");
  for (const auto& segment : segments_of(copy))
    fs::copy_file(segment, writer / segment.filename());  // as if the move had not happened
  const auto second = b.ingest();
  EXPECT_EQ(second.segments, 0);
  EXPECT_EQ(second.duplicates, 5);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM metric") + count(b.store, "SELECT count(*) FROM event"), rows);
  EXPECT_TRUE(segments_of(writer).empty());
}

TEST(Ingest, AnUnknownBatchComesFromItsPlan) {
  Batch b;
  b.written(2);
  EXPECT_FALSE(store::has_batch(b.store.connection(), b.plan.header.batch_id));
  b.ingest();
  const store::Reader reader(b.scratch.store());
  const auto batch = reader.batch("sample");
  EXPECT_EQ(batch.id, b.plan.header.batch_id);
  EXPECT_EQ(batch.planned, 3);
  EXPECT_EQ(reader.items(batch.id).size(), 3u);
  EXPECT_EQ(reader.items(batch.id)[2].state, "queued");
}

TEST(Ingest, ABatchWithoutAPlanIsReported) {
  Batch b;
  b.written(2);
  fs::remove(b.spool / "plan.jsonl");
  expect_problem(b.ingest(), "cannot read");
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run"), 0);
}

TEST(Ingest, APlanThatWasChangedIsReported) {
  Batch b;
  b.written(2);
  std::ofstream(b.spool / "plan.jsonl", std::ios::app) << "{}\n";
  expect_problem(b.ingest(), "is not the plan whose hash plan.sha256 holds");
}

TEST(Ingest, AGapStopsItsWriterAndNobodyElse) {
  Batch b;
  const fs::path broken = b.written(4, 0);
  b.written(3, 1);
  const fs::path hidden = b.scratch.path() / "hidden";
  fs::rename(broken / "000002.jsonl", hidden);
  expect_problem(b.ingest(), "segment 2 of this writer is missing");
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 1);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'running'"), 1);
  EXPECT_EQ(segments_of(broken).size(), 2u);
  fs::rename(hidden, broken / "000002.jsonl");  // it arrives late
  EXPECT_TRUE(b.ingest().problems.empty());
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 2);
}

TEST(Ingest, ABadSegmentStaysWhereItIs) {
  for (const std::string damage : {"flip", "cut", "other writer", "other number"}) {
    Batch b;
    const fs::path writer = b.written(3);
    const fs::path segment = writer / "000002.jsonl";
    std::string bytes = base::read_file(segment);
    if (damage == "flip") bytes[200] ^= 1;
    if (damage == "cut") bytes.resize(bytes.size() - 3);
    if (damage == "other number") bytes = base::read_file(writer / "000003.jsonl");
    if (damage == "other writer") {
      const fs::path other = b.written(3, 1);
      bytes = base::read_file(other / "000002.jsonl");
      fs::remove_all(other);
    }
    std::ofstream(segment, std::ios::binary) << bytes;
    const auto report = b.ingest();
    ASSERT_EQ(report.problems.size(), 1u) << damage;
    EXPECT_EQ(report.problems[0].file, segment);
    EXPECT_EQ(report.segments, 1);
    EXPECT_EQ(segments_of(writer).size(), 2u);
    EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'running'"), 1);
    expect_sound(b.store);
  }
}

TEST(Ingest, ARecordThatIsNotAsItShouldBeRollsItsSegmentBack) {
  Batch b;
  const std::string writer_id = base::new_ulid(), run_id = base::new_ulid();
  const fs::path writer = b.spool / writer_id;
  fs::create_directories(writer);
  int n = 0;
  const auto make = [&n](const std::string& type, const std::string& more) {
    return store::spool_line("{\"t\":\"" + type + "\",\"n\":" + std::to_string(++n) + ",\"at\":1" + more + "}");
  };
  std::string body = make("segment", ",\"v\":1,\"batch\":\"" + b.plan.header.batch_id + "\",\"writer\":\"" + writer_id +
                                         "\",\"segment\":1");
  body += make("writer_opened", ",\"host\":\"h\",\"pid\":1");
  body += make("commit", "");
  body += make("run_started", ",\"run\":\"" + run_id +
                                  "\",\"item\":0,\"kind\":\"k\",\"kind_version\":1,\"config\":{},\"fingerprint\":\"" +
                                  fingerprint_of(0) + "\"");
  body += make("metric", ",\"run\":\"" + run_id + "\",\"step\":0,\"m\":{\"kl\":true}");
  body += make("commit", "");
  body += make("seal", ",\"records\":6,\"sha256\":\"" + base::sha256(body) + "\"");
  std::ofstream(writer / "000001.jsonl", std::ios::binary) << body;
  expect_problem(b.ingest(), "a number is expected, got true");
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run"), 0);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM writer"), 0);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM imported_segment"), 0);
}

TEST(Ingest, AMissingOrChangedTensorFileIsABadSegment) {
  for (const bool missing : {true, false}) {
    Batch b;
    fs::path directory;
    std::string run_id;
    {
      SpoolWriter writer(b.spool, quiet());
      Recorder run(writer, start_of(b.plan, 0));
      run.tensor(vector_of("large", "u8", std::string(70'000, 'x')));
      run.end(success());
      writer.close();
      directory = writer.directory();
      run_id = run.run_id();
    }
    const fs::path file = directory / (run_id + ".1.safetensors");
    const std::string bytes = base::read_file(file);
    if (missing) fs::remove(file);
    else std::ofstream(file, std::ios::binary) << std::string(70'000, 'y');
    expect_problem(b.ingest(), missing ? ".1.safetensors is missing" : "has another hash than its record says");
    EXPECT_EQ(count(b.store, "SELECT count(*) FROM run"), 0);
    std::ofstream(file, std::ios::binary) << bytes;
    EXPECT_TRUE(b.ingest().problems.empty());
    EXPECT_EQ(store::Reader(b.scratch.store()).tensor(run_id, "large").bytes, std::string(70'000, 'x'));
  }
}

TEST(Ingest, ASpoolCannotReachOutsideOfItself) {
  for (const char* path : {"../../etc/passwd", "/etc/passwd", "a/../../b", "", "a/", "./a"}) {
    EXPECT_THROW(store::checked_relative(path), store::BadSegment) << path;
  }
  EXPECT_EQ(store::checked_relative("tensors/01K.1.safetensors"), fs::path("tensors/01K.1.safetensors"));
}

TEST(Ingest, AFutureClockIsCappedAndNoted) {
  for (const std::int64_t skew : {3'600'000'000, -3'600'000'000}) {
    Batch b;
    const std::string writer_id = base::new_ulid();
    const std::int64_t now = base::now_us();
    const std::string at = ",\"at\":" + std::to_string(now + skew);
    std::string body = store::spool_line("{\"t\":\"segment\",\"v\":1,\"n\":1" + at + ",\"batch\":\"" +
                                         b.plan.header.batch_id + "\",\"writer\":\"" + writer_id + "\",\"segment\":1}");
    body += store::spool_line("{\"t\":\"writer_opened\",\"n\":2" + at + ",\"host\":\"elsewhere\",\"pid\":1}");
    body += store::spool_line("{\"t\":\"commit\",\"n\":3" + at + "}");
    body += store::spool_line("{\"t\":\"heartbeat\",\"n\":4" + at + "}") +
            store::spool_line("{\"t\":\"commit\",\"n\":5" + at + "}");
    body +=
        store::spool_line("{\"t\":\"seal\",\"n\":6" + at + ",\"records\":5,\"sha256\":\"" + base::sha256(body) + "\"}");
    fs::create_directories(b.spool / writer_id);
    std::ofstream(b.spool / writer_id / "000001.jsonl", std::ios::binary) << body;
    EXPECT_TRUE(b.ingest().problems.empty());
    EXPECT_LE(count(b.store, "SELECT heartbeat_at_us FROM writer"), base::now_us());
    EXPECT_EQ(count(b.store, "SELECT count(*) FROM event WHERE kind = 'clock_skew'"), skew > 0 ? 1 : 0);
  }
}

TEST(Ingest, ALateRecordOfAnEndedRunChangesNothing) {
  Batch b;
  SpoolWriter writer(b.spool, quiet());
  Recorder run(writer, start_of(b.plan, 0));
  writer.seal();
  b.ingest();
  const auto reaped = store::reap_writer(b.store, b.spool, writer.writer_id(), "operator");  // it was given up, wrongly
  ASSERT_EQ(reaped.crashed.size(), 1u);
  EXPECT_EQ(reaped.crashed[0].proof, "operator");
  run.metric("kl", 1.0);
  run.end(success());
  Recorder second(writer, start_of(b.plan, 1));
  second.end(success());
  writer.close();
  const auto late = b.ingest();
  EXPECT_TRUE(late.problems.empty());
  EXPECT_GT(late.rejected, 0);
  const auto detail = store::Reader(b.scratch.store()).run(run.run_id());
  EXPECT_EQ(detail.row.status, "crashed");
  EXPECT_EQ(detail.row.error, "its process ended without a result (operator)");
  EXPECT_TRUE(detail.metrics.empty());
  EXPECT_EQ(std::count_if(detail.events.begin(), detail.events.end(), [](const auto& e) { return e.kind == "fenced"; }),
            1);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run"), 1);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM event WHERE kind = 'fenced'"), 2);
  EXPECT_EQ(count(b.store, "SELECT sum(rejected) FROM imported_segment"), late.rejected);
}

TEST(Ingest, AWriterThatClosesWithoutEndingItsRunLeavesItCrashed) {
  Batch b;
  SpoolWriter writer(b.spool, quiet());
  Recorder run(writer, start_of(b.plan, 0));
  writer.close();
  EXPECT_TRUE(b.ingest().problems.empty());
  EXPECT_EQ(store::Reader(b.scratch.store()).row(run.run_id()).error, "its writer closed without ending it");
  EXPECT_THROW(run.event(exec::Level::Info, "late", ""), std::logic_error);
}

TEST(Ingest, RunsOfADeletedSpoolDoNotRunForEver) {
  Batch b;
  const pid_t pid = ::fork();
  if (pid == 0) {
    SpoolWriter writer(b.spool, quiet());
    Recorder run(writer, start_of(b.plan, 0));
    writer.seal();
    ::_exit(0);
  }
  ::waitpid(pid, nullptr, 0);
  for (const auto& entry : fs::directory_iterator(b.spool)) {
    if (!entry.is_directory()) continue;
    for (const auto& open : segments_of(entry.path())) {
      if (open.extension() == ".open") fs::remove(open);
    }
  }
  // What was sealed is in the store; before anybody sees that the writer is gone, its spool goes too.
  b.store.transact([&](store::Connection& db) { store::add_plan(db, store::read_plan(b.spool)); });
  const auto report = store::ingest_all(b.store, b.scratch.spool());
  ASSERT_EQ(report.crashed.size(), 1u);
  EXPECT_EQ(report.crashed[0].proof, "pid_gone");
  b.store.transact([](store::Connection& db) {
    db.execute(
        "UPDATE run SET status = 'running', ended_at_us = NULL; UPDATE writer SET ended_at_us = NULL, end_kind = NULL, "
        "end_proof = NULL");
  });
  fs::remove_all(b.scratch.spool());
  EXPECT_EQ(store::ingest_all(b.store, b.scratch.spool()).crashed.size(), 1u);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'running'"), 0);
}

TEST(Ingest, ABatchClosesWhenNothingIsLeftToDo) {
  Batch b;
  b.written(2, 0);
  EXPECT_TRUE(b.ingest().closed_batches.empty());  // two items are queued
  b.written(2, 1);
  b.ingest();
  store::skip_items(b.store, b.plan.header.batch_id, {0, 2}, store::Skip::Stopped);
  const auto report = store::ingest_batch(b.store, b.spool);
  EXPECT_EQ(report.closed_batches, std::vector<std::string>{b.plan.header.batch_id});
  EXPECT_FALSE(fs::exists(b.spool));
  EXPECT_EQ(store::read_plan(b.scratch.store() / "artifacts" / "batch" / b.plan.header.batch_id).plan.items.size(), 3u);
  EXPECT_EQ(fs::file_size(b.scratch.store() / "runs.db-wal"), 0u);
  const auto items = store::Reader(b.scratch.store()).items(b.plan.header.batch_id);
  EXPECT_EQ(items[0].state, "succeeded");
  EXPECT_EQ(items[2].state, "stopped");
}

TEST(Ingest, ACachedItemPointsAtTheEarlierRun) {
  Batch b;
  b.written(2, 0);
  b.ingest();
  const std::string earlier = store::Reader(b.scratch.store()).resolve_run("@1");
  store::Plan again = sample_plan(1, "again");
  again.items[0].cached = earlier;
  const fs::path spool = make_batch(b.scratch.spool(), again);
  const auto report = store::ingest_batch(b.store, spool);
  EXPECT_EQ(report.closed_batches.size(), 1u);
  const store::Reader reader(b.scratch.store());
  EXPECT_EQ(reader.items(again.header.batch_id)[0].state, "cached");
  EXPECT_EQ(reader.resolve("batch:again"), std::vector<std::string>{earlier});
  EXPECT_EQ(reader.runs({.batch = "again"}).total, 1);
}

TEST(Ingest, TwoAtOnceAreHarmless) {
  Batch b;
  for (int item = 0; item < 3; ++item) b.written(20, item);
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      int code = 0;
      try {
        Store own(b.scratch.store());
        for (int round = 0; round < 3; ++round)
          code |= static_cast<int>(store::ingest_batch(own, b.spool, {.keep_spool = true}).exit());
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        code = 70;
      }
      ::_exit(code);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM imported_segment"), 60);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM metric"), 3 * 19);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 3);
  expect_sound(b.store);
}

// Between opening its entry in /proc and reading it: an ingest looks at writers that die while it looks.
TEST(Liveness, AProcessThatDiesWhileItIsLookedAtIsGone) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);  // the kernel buries at once
  auto child = store::this_process();
  for (int i = 0; i < 300; ++i) {
    child.pid = ::fork();
    if (child.pid == 0) ::_exit(0);
    child.pid_start = 1;  // of an earlier process with this pid
    while (::kill(static_cast<pid_t>(child.pid), 0) == 0) ASSERT_EQ(store::death_proof(child), "pid_gone");
  }
  ::signal(SIGCHLD, before);
}

// Its directory is there and empty for a moment.
TEST(Ingest, CleaningUpTakesNothingFromAWriterThatHasJustCome) {
  Batch b;
  for (int item = 0; item < 3; ++item) b.written(2, item);
  const fs::path coming = b.spool / base::new_ulid();
  fs::create_directories(coming);
  EXPECT_EQ(store::ingest_batch(b.store, b.spool).closed_batches.size(), 1u);
  EXPECT_TRUE(fs::exists(coming));
  EXPECT_FALSE(fs::exists(b.spool / "done"));
}

TEST(Liveness, ThisProcessLivesAndAnEndedOneIsProven) {
  const auto here = store::this_process();
  EXPECT_EQ(store::death_proof(here), std::nullopt);
  auto other_start = here;
  other_start.pid_start = *here.pid_start + 1;  // the pid was reused
  EXPECT_EQ(store::death_proof(other_start), "pid_gone");
  auto other_boot = here;
  other_boot.boot_id = "another";
  EXPECT_EQ(store::death_proof(other_boot), "reboot");
  auto other_host = other_boot;
  other_host.host = "elsewhere";
  EXPECT_EQ(store::death_proof(other_host), std::nullopt);
  auto other_namespace = other_start;
  other_namespace.pid_ns = 1;
  EXPECT_EQ(store::death_proof(other_namespace), std::nullopt);
}

}  // namespace
}  // namespace diopter::testing
