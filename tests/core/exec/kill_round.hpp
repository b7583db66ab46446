// One round of the campaign: 1 to 8 writers and one or two ingesters at once, all of them killed at random moments and
// some started again; then one ingest alone, and the judge.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace diopter::testing {

struct KillTally {
  std::int64_t writers = 0, ingesters = 0;            // processes
  std::int64_t writer_kills = 0, ingester_kills = 0;  // ended by SIGKILL
  std::int64_t acknowledged = 0,
               acknowledged_sealed = 0;                  // groups whose call returned; covered by a seal that returned
  std::int64_t sealed_segments = 0, sealed_records = 0;  // found on disk after the last kill
  std::int64_t taken_before = 0;                         // segments that the killed ingesters had taken
  std::int64_t lost = 0, lost_sealed = 0, partial = 0, other = 0;
  std::vector<std::string> findings;

  void finding(std::int64_t& kind, const std::string& what) {
    ++kind;
    findings.push_back(what);
  }
};

// Adds to `tally`.
void kill_round(std::uint64_t seed, KillTally& tally);

}  // namespace diopter::testing
