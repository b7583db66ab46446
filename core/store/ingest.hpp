// From spool to store: sealed segments in number order, one transaction each, all or nothing, idempotent. Two ingests
// at once are harmless. It runs inside `run` and before every listing that asks for a batch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/write_session.hpp"

namespace diopter::store {

// A segment that could not be taken. It stays in place and stops its writer only.
struct IngestProblem {
  std::filesystem::path file;
  std::string message;
};

struct CrashedRun {
  std::string run_id, proof;  // proof: pid_gone, reboot, ...
};

struct IngestReport {
  std::int64_t segments = 0, duplicates = 0;  // new ones, and those that were in the store already
  std::int64_t records = 0, rejected = 0;     // of the new ones; rejected: fenced
  std::vector<IngestProblem> problems;
  std::vector<CrashedRun> crashed;
  std::vector<std::string> closed_batches;

  // Spooled (5) when something was left in the spool, else Done.
  base::Exit exit() const { return problems.empty() ? base::Exit::Done : base::Exit::Spooled; }
};

struct IngestOptions {
  bool keep_spool = false;  // else done/ and what is empty goes when a batch is closed and checkpointed
};

// One batch directory of a spool. A batch the store does not know comes from its plan.jsonl. UserError(Store) when the
// store cannot be written: then the spool still has everything.
IngestReport ingest_batch(Store& store, const std::filesystem::path& batch_spool, const IngestOptions& options = {});

// Every batch directory below `spool`; a missing spool is an empty one.
IngestReport ingest_all(Store& store, const std::filesystem::path& spool, const IngestOptions& options = {});

// Declares a writer dead for a reason that this process knows (`waitpid`, `scheduler`, `operator`), takes the rest of
// its spool and marks its unfinished runs crashed.
IngestReport reap_writer(Store& store, const std::filesystem::path& batch_spool, const std::string& writer_id,
                         const std::string& proof);

}  // namespace diopter::store
