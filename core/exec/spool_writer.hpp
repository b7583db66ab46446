// One process that produces results: appends groups of records to its own directory of the spool. It never opens the
// database, and needs nothing but create, write, fsync, rename: a network file system will do.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/canonical_json.hpp"
#include "exec/spool_io.hpp"
#include "exec/spool_segment.hpp"

namespace diopter::exec {

using base::Json;

struct SpoolOptions {
  std::chrono::milliseconds seal_interval{1000};  // a segment whose oldest record is older is sealed
  std::chrono::milliseconds heartbeat{30'000};
  bool background = true;  // the thread that seals and beats; without it the caller seals
  std::optional<std::string> scheduler, scheduler_job;
  std::int64_t restart_count = 0;
  // Told once when the spool cannot be written and once when it can be again. [any thread] Default: a line on stderr.
  std::function<void(const std::string&)> on_trouble;
  std::shared_ptr<SpoolIo> io;  // default: the real calls
};

enum class WriterEnd { Closed, Requeued };

// [any thread] When the disk refuses, groups wait in memory (64 MiB); beyond that append throws UserError(Store) with
// the reason and takes nothing of the group. Nothing is ever lost silently.
class SpoolWriter {
 public:
  // Makes <batch_spool>/<new writer id>/ and records writer_opened. The directory's name is the batch id.
  explicit SpoolWriter(std::filesystem::path batch_spool, SpoolOptions options = {});
  ~SpoolWriter();  // seals what can be sealed; a writer that was not closed counts as dead later
  SpoolWriter(const SpoolWriter&) = delete;
  SpoolWriter& operator=(const SpoolWriter&) = delete;

  const std::string& writer_id() const noexcept { return writer_id_; }
  const std::string& batch_id() const noexcept { return batch_id_; }
  const std::filesystem::path& directory() const noexcept { return directory_; }

  // One group: enters the store entirely or not at all. `run` is empty for facts of the writer.
  void append(const std::vector<SpoolRecord>& group, const std::string& run = {});
  // A fact as a group of its own: environment, source_state, plugin, input_file, output_def, event.
  void fact(const std::string& type, const Json& body);

  // Everything appended so far becomes visible to ingest. UserError(Store) when the disk refuses.
  void seal();
  // writer_closed, seal; nothing may be appended afterwards. UserError(Store) when the disk refuses.
  void close(WriterEnd end = WriterEnd::Closed);

  // A file beside the records, whole or not there: temporary name, fsync, rename. Before the record that names it.
  // The parts are written one after the other. UserError(Store) names the reason.
  void write_payload(const std::string& name, const std::vector<std::string_view>& parts);

 private:
  void tick();
  void note(IoResult result, std::unique_lock<std::mutex>& lock);
  [[noreturn]] void refuse(int error) const;

  std::filesystem::path directory_;
  std::string batch_id_, writer_id_;
  SpoolOptions options_;
  std::mutex mutex_;
  std::unique_ptr<SpoolSegment> segment_;
  bool closed_ = false, in_trouble_ = false;
  std::int64_t last_beat_us_ = 0;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

// The members of a JSON object as text; bad UTF-8 in texts becomes \xHH, non-finite numbers their names.
std::string members_of(const Json& object);

}  // namespace diopter::exec
