// The appender: when it seals, what it does when the disk refuses, and that every system call may fail.
#include "exec/spool_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <thread>

#include "core/exec/recording.hpp"
#include "store/segment_reader.hpp"
#include "store/spool_format.hpp"

namespace diopter::testing {
namespace {

using exec::Recorder;
using exec::SpoolWriter;

// Lets the n-th call fail, once or for ever; 0: none.
class FaultyIo : public exec::SpoolIo {
 public:
  void arm(std::int64_t at, bool for_ever, int error) {
    calls = 0;
    fired = false;
    at_ = at;
    for_ever_ = for_ever;
    error_ = error;
  }
  int open(const char* path, int flags) override { return fails() ? -1 : SpoolIo::open(path, flags); }
  ssize_t write_at(int fd, const void* bytes, std::size_t size, off_t offset) override {
    if (!fails()) return SpoolIo::write_at(fd, bytes, size, offset);
    (void)SpoolIo::write_at(fd, bytes, size / 2, offset);  // the worst kind: half of it is there
    errno = error_;
    return -1;
  }
  int truncate(int fd, off_t size) override { return fails() ? -1 : SpoolIo::truncate(fd, size); }
  int sync(int fd) override { return fails() ? -1 : SpoolIo::sync(fd); }
  int rename(const char* from, const char* to) override { return fails() ? -1 : SpoolIo::rename(from, to); }

  std::int64_t calls = 0;
  bool fired = false;

 private:
  bool fails() {
    ++calls;
    const bool now = at_ != 0 && (calls == at_ || (for_ever_ && calls > at_));
    if (now) {
      fired = true;
      errno = error_;
    }
    return now;
  }
  std::int64_t at_ = 0;
  bool for_ever_ = false;
  int error_ = 0;
};

std::vector<fs::path> files_of(const fs::path& directory, const std::string& extension) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == extension) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(SpoolWriter, NumbersHaveNoGapsAcrossSegments) {
  Scratch scratch;
  const fs::path batch = make_batch(scratch.spool(), sample_plan());
  SpoolWriter writer(batch, quiet());
  for (int i = 0; i < 10; ++i) {
    writer.fact("event", {{"level", "info"}, {"kind", "k"}, {"message", "m"}});
    if (i % 3 == 0) writer.seal();
  }
  writer.close();
  std::int64_t next = 1, number = 1;
  for (const auto& file : files_of(writer.directory(), ".jsonl")) {
    const auto segment = store::read_sealed_segment(base::read_file(file));
    EXPECT_EQ(segment.first_n, next);
    EXPECT_EQ(segment.number, number++);
    EXPECT_EQ(segment.writer, writer.writer_id());
    next = segment.next_n;
  }
  EXPECT_EQ(number, 6);
  EXPECT_TRUE(files_of(writer.directory(), ".open").empty());
}

TEST(SpoolWriter, ASegmentIsSealedAtOneMebibyte) {
  Scratch scratch;
  SpoolWriter writer(make_batch(scratch.spool(), sample_plan()), quiet());
  const std::string text(100'000, 'x');
  for (int i = 0; i < 25; ++i) writer.fact("event", {{"level", "info"}, {"kind", "k"}, {"message", text}});
  EXPECT_EQ(files_of(writer.directory(), ".jsonl").size(), 2u);
  EXPECT_EQ(files_of(writer.directory(), ".open").size(), 1u);
}

TEST(SpoolWriter, ItsThreadSealsAndBeats) {
  Scratch scratch;
  exec::SpoolOptions options = quiet();
  options.background = true;
  options.seal_interval = std::chrono::milliseconds(40);
  options.heartbeat = std::chrono::milliseconds(150);
  SpoolWriter writer(make_batch(scratch.spool(), sample_plan()), options);
  int beats = 0;
  for (int wait = 0; wait < 400 && beats < 2; ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    beats = 0;
    for (const auto& file : files_of(writer.directory(), ".jsonl")) {
      for (const auto& group : store::read_sealed_segment(base::read_file(file)).groups)
        beats += group.at(0).type == "heartbeat";
    }
  }
  EXPECT_GE(beats, 2);
}

TEST(SpoolWriter, AFullDiskDelaysAndIsSaidOnceThenItWritesEverything) {
  Scratch scratch;
  const store::Plan plan = sample_plan();
  const fs::path batch = make_batch(scratch.spool(), plan);
  auto io = std::make_shared<FaultyIo>();
  std::vector<std::string> said;
  exec::SpoolOptions options = quiet();
  options.io = io;
  options.on_trouble = [&](const std::string& what) { said.push_back(what); };
  SpoolWriter writer(batch, options);
  Recorder run(writer, start_of(plan, 0));
  io->arm(1, true, ENOSPC);
  for (int step = 0; step < 100; ++step) run.metric("kl", step, step);
  expect_user_error([&] { writer.seal(); }, base::Exit::Store, "No space left on device; ");
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find("000001.open: No space left on device; results wait in memory (at most 64 MiB)"),
            std::string::npos)
      << said[0];
  io->arm(0, false, 0);
  run.end(success());
  EXPECT_EQ(said.at(1), "the spool can be written again");
  writer.close();
  store::Store store(scratch.store());
  EXPECT_TRUE(store::ingest_batch(store, batch).problems.empty());
  EXPECT_EQ(count(store, "SELECT count(*) FROM metric"), 100);
  EXPECT_EQ(count(store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 1);
}

TEST(SpoolWriter, BeyondItsMemoryItRefusesAndTakesNothing) {
  Scratch scratch;
  const fs::path batch = make_batch(scratch.spool(), sample_plan());
  auto io = std::make_shared<FaultyIo>();
  exec::SpoolOptions options = quiet();
  options.io = io;
  SpoolWriter writer(batch, options);
  io->arm(1, true, ENOSPC);
  const store::Json big = {{"level", "info"}, {"kind", "k"}, {"message", std::string(1 << 20, 'x')}};
  int taken = 0;
  expect_user_error(
      [&] {
        for (; taken < 100; ++taken) writer.fact("event", big);
      },
      base::Exit::Store, "No space left on device");
  EXPECT_EQ(taken, 63);
  io->arm(0, false, 0);
  writer.close();
  store::Store store(scratch.store());
  EXPECT_TRUE(store::ingest_batch(store, batch).problems.empty());
  EXPECT_EQ(count(store, "SELECT count(*) FROM event"), taken);
}

// A run under one fault. Whatever was said to be written arrives; nothing arrives in part.
void under_fault(std::int64_t at, bool for_ever, int error, bool& fired) {
  Scratch scratch;
  const store::Plan plan = sample_plan(1);
  const fs::path batch = make_batch(scratch.spool(), plan);
  auto io = std::make_shared<FaultyIo>();
  exec::SpoolOptions options = quiet();
  options.io = io;
  bool closed = false, large = false;
  std::string writer_id;
  {
    SpoolWriter writer(batch, options);
    writer_id = writer.writer_id();
    io->arm(at, for_ever, error);
    try {
      Recorder run(writer, start_of(plan, 0));
      run.metric("a", 1, 1);
      run.metric("b", 2, 1);
      run.metric("a", 3, 2);
      writer.seal();
      run.tensor(vector_of("large", "u8", std::string(70'000, 'x')));
      large = true;
      run.end(success());
      writer.close();
      closed = true;
    } catch (const base::UserError& problem) {
      EXPECT_EQ(problem.exit(), base::Exit::Store) << problem.what();
    }
    fired = io->fired;
  }
  store::Store store(scratch.store());
  auto report = store::ingest_batch(store, batch, {.keep_spool = true});
  EXPECT_TRUE(report.problems.empty()) << report.problems.front().message;
  report = store::reap_writer(store, batch, writer_id, "waitpid");
  EXPECT_TRUE(report.problems.empty()) << report.problems.front().message;
  const auto first = count(store, "SELECT count(*) FROM metric WHERE step = 1"),
             all = count(store, "SELECT count(*) FROM metric");
  EXPECT_TRUE(first == 0 || first == 2) << first;
  EXPECT_EQ(count(store, "SELECT count(*) FROM run WHERE status = 'running'"), 0);
  if (closed) {
    EXPECT_EQ(all, 3);
    EXPECT_TRUE(large);
    EXPECT_EQ(count(store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 1);
  }
  if (count(store, "SELECT count(*) FROM tensor") == 1) {
    const store::Reader reader(scratch.store());
    EXPECT_EQ(reader.tensor(reader.resolve_run("@1"), "large").bytes, std::string(70'000, 'x'));
  }
}

TEST(SpoolWriter, EverySystemCallMayFail) {
  int faults = 0;
  for (const int error : {EIO, ENOSPC}) {
    for (const bool for_ever : {false, true}) {
      bool fired = true;
      for (std::int64_t at = 1; fired; ++at) {
        under_fault(at, for_ever, error, fired);
        ASSERT_FALSE(::testing::Test::HasFailure())
            << "call " << at << (for_ever ? " for ever" : " once") << ", errno " << error;
        faults += fired;
      }
    }
  }
  std::printf("spool: %d faults\n", faults);
  EXPECT_GT(faults, 40);
}

}  // namespace
}  // namespace diopter::testing
