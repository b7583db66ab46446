// One case for each way a spool can be torn, cut, shuffled or left behind by somebody who died; the rest is in
// ingest_test.cpp, all of them together in interleaving_test.cpp.
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/store/batch.hpp"
#include "store/batch_rows.hpp"
#include "store/spool_format.hpp"

namespace diopter::testing {
namespace {

using exec::Recorder;
using exec::SpoolWriter;
using store::Store;

int status_of_child(const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

fs::path only_writer(const fs::path& batch) {
  for (const auto& entry : fs::directory_iterator(batch)) {
    if (entry.is_directory() && entry.path().filename() != "done") return entry.path();
  }
  return {};
}

TEST(SpoolDamage, ATornTailIsDroppedAndItsRunCrashes) {
  Batch b;
  status_of_child([&] {
    SpoolWriter writer(b.spool, quiet());
    Recorder run(writer, start_of(b.plan, 0));
    for (int step = 0; step < 4; ++step) run.metric("kl", step, step);  // step 3 stays in the recorder
    ::_exit(0);
  });
  const fs::path open = only_writer(b.spool) / "000001.open";
  fs::resize_file(open, fs::file_size(open) - 5);  // inside the commit of step 2
  const auto report = b.ingest();
  EXPECT_TRUE(report.problems.empty());
  ASSERT_EQ(report.crashed.size(), 1u);
  EXPECT_EQ(report.crashed[0].proof, "pid_gone");
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM metric"), 2);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'crashed'"), 1);
  expect_sound(b.store);
}

// It died between making the file of its next segment and the first line, or as its very first act.
TEST(SpoolDamage, AWriterThatDiesBeforeItsFirstLineIsBuriedAllTheSame) {
  for (const std::string start : {"", "820e61ae {\"t\""}) {
    for (const bool first_segment : {true, false}) {
      Batch b;
      status_of_child([&] {
        SpoolWriter writer(b.spool, quiet());
        Recorder run(writer, start_of(b.plan, 0));
        if (!first_segment) writer.seal();
        ::_exit(0);
      });
      const fs::path writer = only_writer(b.spool);
      std::ofstream(writer / store::open_segment_name(first_segment ? 1 : 2), std::ios::binary) << start;
      const auto report = b.ingest();
      EXPECT_TRUE(report.problems.empty()) << report.problems.front().message;
      EXPECT_EQ(report.crashed.size(), first_segment ? 0u : 1u);
      EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'crashed'"), first_segment ? 0 : 1);
      EXPECT_EQ(segments_of(writer).size(), first_segment ? 1u : 0u);  // whose was it? It holds nothing
    }
  }
}

TEST(SpoolDamage, ASealedSegmentWithoutItsSealIsBad) {
  Batch b;
  const fs::path segment = b.written(3) / "000002.jsonl";
  const std::string bytes = base::read_file(segment);
  const std::size_t seal = bytes.rfind('\n', bytes.size() - 2) + 1;
  std::ofstream(segment, std::ios::binary) << bytes.substr(0, seal);
  expect_problem(b.ingest(), "the seal is missing");
  std::ofstream(segment, std::ios::binary) << bytes;  // the copy was not finished; now it is
  EXPECT_TRUE(b.ingest().problems.empty());
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 1);
}

TEST(SpoolDamage, AWrongChecksumIsBad) {
  Batch b;
  const fs::path segment = b.written(3) / "000002.jsonl";
  std::string bytes = base::read_file(segment);
  bytes[0] = bytes[0] == '0' ? '1' : '0';
  std::ofstream(segment, std::ios::binary) << bytes;
  expect_problem(b.ingest(), "line 1: wrong checksum");
}

TEST(SpoolDamage, ARecordOfAnUnknownTypeIsBad) {
  Batch b;
  const std::string writer = base::new_ulid();
  std::string body = store::spool_line("{\"t\":\"segment\",\"v\":1,\"n\":1,\"at\":1,\"batch\":\"" +
                                       b.plan.header.batch_id + "\",\"writer\":\"" + writer + "\",\"segment\":1}");
  body += store::spool_line("{\"t\":\"writer_opened\",\"n\":2,\"at\":1,\"host\":\"h\",\"pid\":1}");
  body += store::spool_line("{\"t\":\"telepathy\",\"n\":3,\"at\":1}");
  body += store::spool_line("{\"t\":\"commit\",\"n\":4,\"at\":1}");
  body +=
      store::spool_line("{\"t\":\"seal\",\"n\":5,\"at\":1,\"records\":4,\"sha256\":\"" + base::sha256(body) + "\"}");
  fs::create_directories(b.spool / writer);
  std::ofstream(b.spool / writer / "000001.jsonl", std::ios::binary) << body;
  expect_problem(b.ingest(), "line 3: unknown record type 'telepathy': a newer diopter wrote it");
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM writer"), 0);
}

TEST(SpoolDamage, SegmentsThatArriveBackwardsWaitForTheFirst) {
  Batch b;
  const fs::path writer = b.written(5), away = b.scratch.path() / "away";
  fs::rename(writer, away);
  fs::create_directories(writer);
  for (int number = 5; number >= 1; --number) {
    const std::string name = store::sealed_segment_name(number);
    fs::rename(away / name, writer / name);
    if (number > 1) expect_problem(b.ingest(), "segment 1 of this writer is missing");
  }
  const auto report = b.ingest();
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.segments, 5);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 1);
}

// Operators err. The beginning of its open segment was taken as its last words; the rest is refused, and nothing jams.
TEST(SpoolDamage, AWriterGivenUpInTheMiddleOfASegmentIsFencedWhenItGoesOn) {
  Batch b;
  SpoolWriter writer(b.spool, quiet());
  Recorder run(writer, start_of(b.plan, 0));
  for (int step = 0; step < 3; ++step) run.metric("kl", step, step);  // step 2 stays in the recorder
  const auto reaped = store::reap_writer(b.store, b.spool, writer.writer_id(), "operator");
  EXPECT_EQ(reaped.crashed.size(), 1u);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM metric"), 2);
  for (int step = 3; step < 6; ++step) {
    run.metric("kl", step, step);
    writer.seal();
  }
  run.end(success());
  writer.close();
  const auto late = b.ingest();
  EXPECT_TRUE(late.problems.empty()) << late.problems.front().message;
  EXPECT_EQ(late.rejected, 5);  // steps 2 to 5 and the end
  EXPECT_TRUE(segments_of(writer.directory()).empty());
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM metric"), 2);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'crashed'"), 1);
  EXPECT_EQ(count(b.store, "SELECT sum(rejected) FROM imported_segment"), 5);
  EXPECT_GE(count(b.store, "SELECT count(*) FROM event WHERE kind = 'fenced'"), 1);
  EXPECT_EQ(b.ingest().rejected, 0);
  expect_sound(b.store);
}

TEST(SpoolDamage, AWriterWhoseDirectoryWasDeletedWritesItAgain) {
  Batch b;
  SpoolWriter writer(b.spool, quiet());
  fs::remove_all(b.spool / writer.writer_id());
  Recorder run(writer, start_of(b.plan, 0));
  run.tensor(vector_of("large", "u8", std::string(70'000, 'x')));
  run.end(success());
  writer.close();
  EXPECT_TRUE(b.ingest().problems.empty());
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 1);
}

TEST(SpoolDamage, AnIngestKilledBetweenCommitAndMoveIsFinishedByTheNext) {
  Batch b;
  const fs::path writer = b.written(3);
  const auto kill_after_commit = [](void*, sqlite3*, const char*, int) { return ::kill(::getpid(), SIGKILL); };
  const int status = status_of_child([&] {
    Store own(b.scratch.store());
    own.transact([&](store::Connection& db) { store::add_plan(db, store::read_plan(b.spool)); });
    sqlite3_wal_hook(own.connection().handle(), kill_after_commit, nullptr);
    store::ingest_batch(own, b.spool, {.keep_spool = true});
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM imported_segment"), 1);
  EXPECT_EQ(segments_of(writer).size(), 3u);
  EXPECT_FALSE(fs::exists(b.spool / "done"));
  const auto report = b.ingest();
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.duplicates, 1);
  EXPECT_EQ(report.segments, 2);
  EXPECT_TRUE(segments_of(writer).empty());
  EXPECT_EQ(count(b.store, "SELECT count(*) FROM metric"), 2);
  expect_sound(b.store);
}

}  // namespace
}  // namespace diopter::testing
