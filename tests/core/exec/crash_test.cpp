// kill -9 in the middle of a run, at random moments: only whole groups, and the next ingest recovers.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "core/exec/recording.hpp"

namespace diopter::testing {
namespace {

using exec::Recorder;
using exec::SpoolWriter;

#ifdef __SANITIZE_ADDRESS__  // a forked process with its shadow memory starts and ends slowly
constexpr int kWriterRounds = 10, kIngestRounds = 8;
#else
constexpr int kWriterRounds = 25, kIngestRounds = 15;
#endif

// Step k logs a = b = k; every 50 steps a tensor beside the database whose bytes all are k.
[[noreturn]] void work_until_killed(const fs::path& batch, const store::Plan& plan) {
  exec::SpoolOptions options = quiet();
  options.background = true;
  options.seal_interval = std::chrono::milliseconds(15);
  SpoolWriter writer(batch, options);
  for (int item = 0;; ++item) {
    Recorder run(writer, start_of(plan, item % 3));
    for (int step = 0; step < 200; ++step) {
      run.metric("a", step, step);
      run.metric("b", step, step);
      if (step % 50 == 7)
        run.tensor({.name = "t",
                    .step = step,
                    .dtype = "u8",
                    .shape = {70'000},
                    .dims = {{{"name", "x"}}},
                    .bytes = std::string(70'000, static_cast<char>(step))});
      if (step % 20 == 0) ::usleep(300);
    }
    run.end(success());
  }
}

TEST(Crash, KillingAWriterLeavesWholeGroupsAndCrashedRuns) {
  int crashed = 0, succeeded = 0;
  std::uint64_t seed = 7;
  for (int round = 0; round < kWriterRounds; ++round) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    Scratch scratch;
    const store::Plan plan = sample_plan();
    const fs::path batch = make_batch(scratch.spool(), plan);
    const pid_t pid = ::fork();
    if (pid == 0) work_until_killed(batch, plan);
    ::usleep(static_cast<useconds_t>(1000 + (seed >> 33) % 120'000));
    store::Store store(scratch.store());
    store::ingest_batch(store, batch);  // while it writes
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    const auto report = store::ingest_batch(store, batch);
    ASSERT_TRUE(report.problems.empty()) << report.problems.front().message;
    EXPECT_EQ(count(store, "SELECT count(*) FROM run WHERE status = 'running'"), 0);
    EXPECT_EQ(
        count(store, "SELECT count(*) FROM (SELECT count(*) AS n FROM metric GROUP BY run_seq, step) WHERE n <> 2"), 0)
        << "half of a step";
    EXPECT_EQ(count(store,
                    "SELECT count(*) FROM (SELECT max(step) - count(DISTINCT step) AS gap FROM metric GROUP BY "
                    "run_seq) WHERE gap <> -1"),
              0)
        << "a step is missing";
    EXPECT_EQ(count(store, "SELECT count(*) FROM writer WHERE end_kind IS NOT 'dead' OR end_proof IS NOT 'pid_gone'"),
              0);
    const store::Reader reader(scratch.store());
    for (const auto& row : reader.runs({.limit = 0}).rows) {
      if (row.status == "crashed") {
        EXPECT_EQ(row.error, "its process ended without a result (pid_gone)");
      }
      for (const auto& tensor : reader.tensors(row.id)) {
        EXPECT_EQ(reader.tensor(row.id, "t", tensor.step).bytes, std::string(70'000, static_cast<char>(tensor.step)));
      }
    }
    expect_sound(store);
    crashed += static_cast<int>(count(store, "SELECT count(*) FROM run WHERE status = 'crashed'"));
    succeeded += static_cast<int>(count(store, "SELECT count(*) FROM run WHERE status = 'succeeded'"));
    if (HasFatalFailure()) return;
  }
  std::printf("kill -9: %d rounds, %d runs crashed, %d had succeeded\n", kWriterRounds, crashed, succeeded);
  EXPECT_GT(crashed, kWriterRounds * 2 / 5);
}

// The ingest dies somewhere; another one finishes its work.
TEST(Crash, KillingAnIngestLosesNothing) {
  for (int round = 0; round < kIngestRounds; ++round) {
    Scratch scratch;
    const store::Plan plan = sample_plan();
    const fs::path batch = make_batch(scratch.spool(), plan);
    for (int item = 0; item < 3; ++item) {
      SpoolWriter writer(batch, quiet());
      Recorder run(writer, start_of(plan, item));
      for (int step = 0; step < 20; ++step) {
        run.metric("a", step, step);
        if (step % 4 == 0)
          run.tensor({.name = "t",
                      .step = step,
                      .dtype = "u8",
                      .shape = {70'000},
                      .dims = {{{"name", "x"}}},
                      .bytes = std::string(70'000, 'x')});
        writer.seal();
      }
      run.end(success());
      writer.close();
    }
    const pid_t pid = ::fork();
    if (pid == 0) {
      store::Store own(scratch.store());
      store::ingest_batch(own, batch);
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(3000 + round * 6000));
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    store::Store store(scratch.store());
    const auto report = store::ingest_all(store, scratch.spool());
    EXPECT_TRUE(report.problems.empty()) << report.problems.front().message;
    EXPECT_EQ(count(store, "SELECT count(*) FROM metric"), 60);
    EXPECT_EQ(count(store, "SELECT count(*) FROM tensor"), 15);
    EXPECT_EQ(count(store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 3);
    EXPECT_EQ(count(store, "SELECT count(*) FROM batch WHERE closed_at_us IS NOT NULL"), 1);
    expect_sound(store);
  }
}

}  // namespace
}  // namespace diopter::testing
