// Two ingesters on the same segments, in step: whatever the other one did in the meantime is no problem.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "core/store/batch.hpp"
#include "store/payload_files.hpp"

namespace diopter::testing {
namespace {

// Forked processes that start their work at the same moment.
class StartingLine {
 public:
  StartingLine()
      : waiting_(static_cast<std::atomic<int>*>(
            ::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~StartingLine() { ::munmap(waiting_, sizeof(std::atomic<int>)); }
  StartingLine(const StartingLine&) = delete;
  StartingLine& operator=(const StartingLine&) = delete;

  void wait_for(int processes) {
    ++*waiting_;
    while (*waiting_ < processes) ::usleep(10);
  }

 private:
  std::atomic<int>* waiting_;
};

int ingest_in_step(StartingLine& line, const fs::path& store_directory, const fs::path& batch) {
  try {
    store::Store own(store_directory);
    line.wait_for(2);
    const auto report = store::ingest_batch(own, batch, {.keep_spool = true});
    for (const auto& problem : report.problems)
      std::fprintf(stderr, "%s: %s\n", problem.file.c_str(), problem.message.c_str());
    return static_cast<int>(report.exit());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 70;
  }
}

// Without a database in between, file by file; every fourth is a directory.
TEST(TwoIngesters, AFileMayMoveWhileTheOtherOneLooksAtIt) {
  constexpr int kFiles = 400;
  Scratch scratch;
  std::vector<store::Payload> payloads;
  for (int i = 0; i < kFiles; ++i) {
    const fs::path from = scratch.path() / std::to_string(i), to = scratch.store() / std::to_string(i);
    const bool directory = i % 4 == 3;
    if (directory) fs::create_directories(from);
    std::ofstream(directory ? from / "w.bin" : from, std::ios::binary) << std::string(20'000, 'x');
    payloads.push_back({from, to, directory ? base::sha256_tree(from) : base::sha256_file(from), directory});
  }
  std::atomic<int> arrived = 0, refused = 0;
  const auto move_all = [&] {
    for (int i = 0; i < kFiles; ++i) {
      ++arrived;
      while (arrived < 2 * (i + 1)) std::this_thread::yield();
      try {
        store::move_payload(payloads[static_cast<std::size_t>(i)]);
      } catch (const std::exception& error) {
        if (refused++ == 0) std::fprintf(stderr, "%s\n", error.what());
      }
    }
  };
  std::thread other(move_all);
  move_all();
  other.join();
  EXPECT_EQ(refused, 0) << "of " << kFiles;
  for (const store::Payload& payload : payloads) EXPECT_TRUE(fs::exists(payload.to));
}

TEST(TwoIngesters, FilesOfTensorsThatTheOtherOneMovedAreNotMissing) {
  constexpr int kRounds = 4, kFiles = 25;
  for (int round = 0; round < kRounds; ++round) {
    Batch b;
    {
      exec::SpoolWriter writer(b.spool, quiet());
      exec::Recorder run(writer, start_of(b.plan, 0));
      for (int i = 0; i < kFiles; ++i) {
        run.tensor(vector_of("t" + std::to_string(i), "u8", std::string(70'000, static_cast<char>('a' + i))));
        writer.seal();
      }
      run.end(success());
      writer.close();
    }
    StartingLine line;
    std::vector<pid_t> children;
    for (int i = 0; i < 2; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) ::_exit(ingest_in_step(line, b.scratch.store(), b.spool));
      children.push_back(pid);
    }
    for (const pid_t pid : children) {
      int status = 0;
      ::waitpid(pid, &status, 0);
      EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(count(b.store, "SELECT count(*) FROM tensor"), kFiles);
    EXPECT_EQ(count(b.store, "SELECT count(*) FROM run WHERE status = 'succeeded'"), 1);
    expect_sound(b.store);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace diopter::testing
