// Records one run: what the analysis logs becomes groups of spool records, each whole or not there.
//
// [any thread] for every member. Names are not checked against the plugin's declarations here; that is the caller's
// part. UserError(Failed) for a bad or repeated name: nothing is recorded then. UserError(Store) when the spool cannot
// be written and its memory is full. After end() only a bug calls anything.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exec/run_start.hpp"
#include "exec/spool_writer.hpp"
#include "exec/step_metrics.hpp"

namespace diopter::exec {

enum class Level { Debug, Info, Warning, Error };
enum class Handover { Copy, Move };  // whether the file may be taken away from where it is

class Recorder {
 public:
  // Appends run_started. The writer outlives the recorder.
  Recorder(SpoolWriter& writer, const RunStart& start);
  ~Recorder();  // a run that was not ended is recorded as failed: only an explicit success is one
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  const std::string& run_id() const noexcept { return run_id_; }

  // The values of one step are one group, closed by the first value of another step.
  void metric(std::string_view name, double value, std::int64_t step = 0, std::optional<double> stderr_value = {});
  void tensor(const TensorRecord& tensor);  // over 64 KiB: a safetensors file
  // `type`: table figure text. Documents over 64 KiB become files. Bad UTF-8 in texts becomes \xHH.
  void output(const std::string& name, const std::string& type, const Json& doc);
  // A table: its document and its numeric columns, which are tensors called "name.column", in one group.
  void table(const std::string& name, const Json& doc, const std::vector<TensorRecord>& columns);
  // A file of the analysis, or of the host (log.txt): kept under artifacts/<run id>/.
  void file(const std::string& name, const std::string& kind, const std::filesystem::path& from,
            Handover handover = Handover::Copy);
  // An output of type model or dataset: a directory.
  void directory(const std::string& name, const std::string& type, const std::filesystem::path& from,
                 Handover handover = Handover::Copy);
  void event(Level level, const std::string& kind, const std::string& message, const Json& data = {});

  void end(const RunEnd& end);
  bool ended() const noexcept { return ended_; }

 private:
  void append(std::vector<SpoolRecord> group);
  void claim(std::string_view what, const std::string& name, std::int64_t step = 0);
  SpoolRecord tensor_record(const TensorRecord& tensor);
  SpoolRecord document_record(const std::string& name, const std::string& type, const Json& doc);
  std::string next_file(const std::string& suffix);
  std::string place_of(const std::string& name) const;

  SpoolWriter& writer_;
  std::string run_id_, run_member_;
  std::mutex mutex_;
  StepMetrics metrics_;
  std::set<std::pair<std::string, std::int64_t>> claimed_;  // "tensor name" and step
  std::atomic<std::int64_t> files_ = 0;
  std::atomic<bool> ended_ = false;
};

}  // namespace diopter::exec
