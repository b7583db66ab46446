// kill -9 of writers and ingesters at random moments. What a writer was told to be safe is in the store afterwards, and
// nothing is there in part.
//
// DIOPTER_KILL_ROUNDS=N: that many rounds, else ten. DIOPTER_KILL_SEED=S: the first round has that seed, the next S +
// 1; a failing round prints its own. The moments of the kills depend on the scheduler too: repeat a seed more than
// once.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "core/exec/kill_round.hpp"

namespace diopter::testing {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : otherwise;
}

void print(const KillTally& tally, std::uint64_t rounds, double seconds) {
  fmt::print("kill -9: {} rounds in {:.0f} s; {} of {} writers and {} of {} ingesters killed\n", rounds, seconds,
             tally.writer_kills, tally.writers, tally.ingester_kills, tally.ingesters);
  fmt::print(
      "kill -9: {} groups acknowledged, {} of them by a seal; {} sealed segments with {} records; the ingesters that "
      "were"
      " killed took {} segments\n",
      tally.acknowledged, tally.acknowledged_sealed, tally.sealed_segments, tally.sealed_records, tally.taken_before);
  fmt::print("kill -9: {} sealed groups lost, {} acknowledged groups lost, {} partial groups, {} other findings\n",
             tally.lost_sealed, tally.lost, tally.partial, tally.other);
  std::fflush(stdout);
}

TEST(KillCampaign, NothingAcknowledgedIsLostAndNothingIsThereInPart) {
  const std::uint64_t rounds = number_from_environment("DIOPTER_KILL_ROUNDS", 10);
  const std::uint64_t first = number_from_environment("DIOPTER_KILL_SEED", 1);
  const auto start = std::chrono::steady_clock::now();
  KillTally tally;
  for (std::uint64_t seed = first; seed < first + rounds; ++seed) {
    const std::size_t before = tally.findings.size();
    kill_round(seed, tally);
    for (std::size_t i = before; i < std::min(before + 5, tally.findings.size()); ++i)
      ADD_FAILURE() << "seed " << seed << ": " << tally.findings[i];
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const std::uint64_t done = seed + 1 - first;
    if (done == rounds || done % 100 == 0) print(tally, done, took.count());
  }
  EXPECT_TRUE(tally.findings.empty());
  EXPECT_GT(tally.acknowledged_sealed, 0);
  EXPECT_GT(tally.writer_kills, 0);
  EXPECT_GT(tally.ingester_kills, 0);
}

}  // namespace
}  // namespace diopter::testing
