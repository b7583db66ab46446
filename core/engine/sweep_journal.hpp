// Finished chunks of a sweep, kept beside the run while it works: a sweep that was killed goes on where it was.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "engine/packed/packed_cells.hpp"

namespace diopter::engine {

// An append-only file, written once the work has lasted a while; each record has a checksum, so that a torn end is cut
// off. A disk that takes no more costs the chance to go on, not the sweep. Thread-safe.
class SweepJournal {
 public:
  // `file`: empty: nothing is kept. `identity`: what must be equal for records to be used; a file of another sweep is
  // written anew.
  SweepJournal(std::filesystem::path file, std::string identity, std::chrono::milliseconds first_write);
  ~SweepJournal();
  SweepJournal(const SweepJournal&) = delete;
  SweepJournal& operator=(const SweepJournal&) = delete;

  struct Kept {
    Index end = 0;  // of its cells
    ChunkResult result;
  };
  // The chunk of this batch of prompts that begins at this cell, when an earlier attempt finished it.
  const Kept* find(Index batch, Index first) const;
  Index kept() const { return static_cast<Index>(known_.size()); }
  void add(Index batch, Index first, Index end, const ChunkResult& result);
  // The sentence of a failure to write; once.
  std::optional<std::string> failure();

 private:
  void read();
  void write(const std::string& bytes);

  std::filesystem::path file_;
  std::string identity_;
  std::map<std::pair<Index, Index>, Kept> known_;
  std::chrono::steady_clock::time_point first_write_;
  std::mutex mutex_;
  std::string pending_, failure_;
  int descriptor_ = -1;
  std::uint64_t good_ = 0;  // bytes of the file that are whole records
};

}  // namespace diopter::engine
