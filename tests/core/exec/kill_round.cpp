#include "core/exec/kill_round.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <random>

#include "core/exec/kill_analysis.hpp"
#include "core/exec/kill_judge.hpp"
#include "core/store/scratch.hpp"

namespace diopter::testing {
namespace {

constexpr std::size_t kMostWriters = 16;  // of a round, those that were started again included

// Exit codes of a child that was not killed: 0, or 5 for problems in the spool, or 70 for an exception.
template <class Work>
pid_t start_process(const Work& work) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would end it when the campaign itself is stopped
  int code = 70;
  try {
    code = work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "process %d: %s\n", static_cast<int>(::getpid()), error.what());
  }
  ::_exit(code);
}

// Ingests as fast as it can; a problem while nobody damages anything is a finding.
int ingest_until_killed(const fs::path& store_directory, const fs::path& spool, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const bool keep_spool = random() % 2 == 0;  // else batches close and their spool goes while writers come
  store::Store store(store_directory);
  for (;;) {
    const auto report = store::ingest_all(store, spool, {.keep_spool = keep_spool});
    for (const auto& problem : report.problems)
      std::fprintf(stderr, "ingest: %s: %s\n", problem.file.c_str(), problem.message.c_str());
    if (!report.problems.empty()) return static_cast<int>(report.exit());
    ::usleep(static_cast<useconds_t>(random() % 3000));
  }
}

class Round {
 public:
  Round(std::uint64_t seed, KillTally& tally) : random_(seed), tally_(tally), ledgers_(kMostWriters) {}

  void run() {
    if (random_() % 4 != 0)
      store::Store made(scratch_.store());  // else the first ingester makes it, or dies on the way
    for (std::uint64_t i = 0, writers = 1 + random_() % 8; i < writers; ++i) start_writer();
    for (std::uint64_t i = 0, ingesters = 1 + random_() % 2; i < ingesters; ++i) start_ingester();
    for (std::uint64_t i = 0, moments = 2 + random_() % 8; i < moments; ++i) {
      ::usleep(static_cast<useconds_t>(random_() % 50'000));
      something_dies();
    }
    while (!writers_.empty()) kill_one(writers_, tally_.writer_kills);
    while (!ingesters_.empty()) kill_one(ingesters_, tally_.ingester_kills);
    judge(scratch_.store(), batch_, ledgers_, started_, tally_);
  }

 private:
  void something_dies() {
    if (random_() % 2 == 0 && !writers_.empty()) {
      kill_one(writers_, tally_.writer_kills);
      if (random_() % 2 == 0 && started_ < kMostWriters) start_writer();
    } else {
      kill_one(ingesters_, tally_.ingester_kills);
      start_ingester();
    }
  }

  void start_writer() {
    Ledger& ledger = ledgers_[started_++];
    const std::uint64_t seed = random_();
    writers_.push_back(start_process([&] {
      analyse(ledger, batch_, plan_, seed);
      return 0;
    }));
    ++tally_.writers;
  }

  void start_ingester() {
    const std::uint64_t seed = random_();
    ingesters_.push_back(start_process([&] { return ingest_until_killed(scratch_.store(), scratch_.spool(), seed); }));
    ++tally_.ingesters;
  }

  void kill_one(std::vector<pid_t>& processes, std::int64_t& kills) {
    const auto at = static_cast<std::ptrdiff_t>(random_() % processes.size());
    const pid_t pid = processes[static_cast<std::size_t>(at)];
    processes.erase(processes.begin() + at);
    ::kill(pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ++kills;
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      tally_.finding(tally_.other, "a process ended by itself with status " + std::to_string(status));
  }

  std::mt19937_64 random_;
  KillTally& tally_;
  Scratch scratch_;
  store::Plan plan_ = sample_plan(4);
  fs::path batch_ = make_batch(scratch_.spool(), plan_);
  Ledgers ledgers_;
  std::size_t started_ = 0;
  std::vector<pid_t> writers_, ingesters_;
};

}  // namespace

void kill_round(std::uint64_t seed, KillTally& tally) { Round(seed, tally).run(); }

}  // namespace diopter::testing
