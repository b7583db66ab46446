// A sweep that is stopped again and again ends with the numbers of an undisturbed one, bit for bit.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "core/engine/support.hpp"

namespace diopter::engine::testing {
namespace {

namespace fs = std::filesystem;

// Stops when it has been asked `after` times whether to.
class Stopping final : public RunMonitor {
 public:
  explicit Stopping(int after) : left_(after) { at::set_num_threads(1); }
  void progress(Text, Index, Index, Text) override {}
  void check_stop() override {
    if (left_-- <= 0) throw Stopped("stopped");
  }
  bool stop_requested() const noexcept override { return false; }
  void warn(Text guard, Text) override { warnings.emplace_back(guard); }
  void event(Text kind, Text) override { resumed = resumed || kind == "sweep-resumed"; }
  void check_observes(const HookPoint&) override {}
  void check_edits(const HookPoint&) override {}
  at::Generator rng(Text) override { return at::detail::createCPUGenerator(11); }

  std::vector<std::string> warnings;
  bool resumed = false;

 private:
  int left_;
};

class SweepJournalTest : public ::testing::Test {
 protected:
  SweepJournalTest() : folder_(fs::temp_directory_path() / ("diopter-journal-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
  }
  ~SweepJournalTest() override { fs::remove_all(folder_); }

  Sweep sweep() const {
    const Prompts pairs = random_pairs({6, 9, 4}, 1);
    return {.into = pairs.corrupted(),
            .hooks = "blocks.{layer}.attn.hook_z",
            .axes = {{"layer"}, {"pos"}, {"head"}},
            .change = Change::replace(pairs.clean()),
            .metrics = {Metric::named("logit_diff"), Metric::named("rank")}};
  }
  // Little memory: chunks of few rows, so that there are many to lose.
  SessionOptions options(fs::path scratch) const {
    return {.kind = "trial", .memory_budget = 250000, .scratch = std::move(scratch), .keep_after = {}};
  }
  at::Tensor run(Stopping& monitor, const fs::path& scratch) { return run_with(monitor, options(scratch)); }
  at::Tensor run_with(Stopping& monitor, SessionOptions options) {
    Session session(lab_.model, nullptr, monitor, std::move(options));
    const Cells cells = session.sweep(sweep());
    return at::stack({cells.values(0), cells.values(1)});
  }

  fs::path folder_;
  Lab lab_;
};

TEST_F(SweepJournalTest, AKilledSweepGoesOnWithTheSameNumbers) {
  Stopping patient(1 << 30);
  const at::Tensor undisturbed = run(patient, {});
  std::mt19937 random(5);
  int stops = 0, resumes = 0;
  for (int trial = 0; trial < 20; ++trial) {
    fs::remove_all(folder_);
    for (int attempt = 0; attempt < 200; ++attempt) {
      Stopping monitor(3 + attempt + static_cast<int>(random() % 6));
      try {
        const at::Tensor values = run(monitor, folder_);
        resumes += monitor.resumed;
        EXPECT_TRUE(at::equal(values.nan_to_num(-7), undisturbed.nan_to_num(-7)));
        break;
      } catch (const Stopped&) {
        ++stops;
      }
      const fs::path file = folder_ / "sweep-1.cells";  // a torn end, now and then
      if (fs::exists(file) && random() % 2 == 0) {
        const auto size = fs::file_size(file);
        fs::resize_file(file, size - std::min<std::uintmax_t>(size, random() % 40));
      }
    }
  }
  printf("20 sweeps stopped %d times, %d went on from finished cells\n", stops, resumes);
  EXPECT_GT(stops, 20);
  EXPECT_GT(resumes, 15);
}

TEST_F(SweepJournalTest, WhatIsNotOfThisSweepIsNotUsed) {
  Stopping patient(1 << 30);
  const at::Tensor undisturbed = run(patient, {});
  fs::create_directories(folder_);
  std::ofstream(folder_ / "sweep-1.cells") << std::string(5000, 'x');
  Stopping again(1 << 30);
  EXPECT_TRUE(at::equal(run(again, folder_).nan_to_num(-7), undisturbed.nan_to_num(-7)));
  EXPECT_FALSE(again.resumed);
  // Now the file is whole, and every bit of it counts.
  const fs::path file = folder_ / "sweep-1.cells";
  std::mt19937 random(9);
  for (int i = 0; i < 60; ++i) {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(random() % fs::file_size(file));
    bytes.seekg(at);
    const char was = static_cast<char>(bytes.get());
    bytes.seekp(at);
    bytes.put(static_cast<char>(was ^ (1 << random() % 8)));
    bytes.close();
    Stopping third(1 << 30);
    EXPECT_TRUE(at::equal(run(third, folder_).nan_to_num(-7), undisturbed.nan_to_num(-7))) << at;
  }
}

// Where no budget is given, it follows what is free when the process starts: never twice the same.
TEST_F(SweepJournalTest, AnotherBudgetThatDecidesTheSameChunksGoesOn) {
  const auto with_budget = [&](Index bytes) {
    SessionOptions out = options(folder_);
    out.memory_budget = bytes;
    return out;
  };
  Stopping patient(1 << 30);
  const at::Tensor undisturbed = run_with(patient, SessionOptions{.kind = "trial", .memory_budget = Index{1} << 30});
  Stopping stopped(3);
  EXPECT_THROW(run_with(stopped, with_budget(Index{1} << 30)), Stopped);
  ASSERT_TRUE(fs::exists(folder_ / "sweep-1.cells"));
  Stopping again(1 << 30);
  EXPECT_TRUE(
      at::equal(run_with(again, with_budget((Index{1} << 30) + 12345)).nan_to_num(-7), undisturbed.nan_to_num(-7)));
  EXPECT_TRUE(again.resumed);
  // So little memory that chunks and batches are others: from the beginning.
  Stopping little(1 << 30);
  run(little, folder_);
  EXPECT_FALSE(little.resumed);
}

TEST_F(SweepJournalTest, AFolderThatCannotBeWrittenCostsTheJournalOnly) {
  std::ofstream(folder_) << "a file where the folder should be";
  Stopping monitor(1 << 30);
  Stopping patient(1 << 30);
  EXPECT_TRUE(at::equal(run(monitor, folder_).nan_to_num(-7), run(patient, {}).nan_to_num(-7)));
  EXPECT_EQ(monitor.warnings, std::vector<std::string>{"sweep-journal"});
}

}  // namespace
}  // namespace diopter::engine::testing
