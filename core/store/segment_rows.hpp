// Turns the records of one segment into rows, inside the caller's transaction.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "store/connection.hpp"
#include "store/segment_reader.hpp"

namespace diopter::store {

// Rows are inserted ON CONFLICT DO NOTHING. A record of a run that is not this writer's running run is fenced: it
// changes nothing, and one event per run says so. Json::exception or BadSegment for a record that is not as it should
// be; the caller rolls back.
class SegmentRows {
 public:
  SegmentRows(Connection& db, const Segment& segment, std::int64_t now_us);

  void add_all();
  std::int64_t rejected() const noexcept { return rejected_; }

 private:
  struct RunState {
    std::int64_t seq = 0;
    bool accepts = false;
    std::int64_t rejected = 0, first_rejected_n = 0;
  };

  void add(const Record& record);
  void add_of_run(const Record& record);

  void writer_opened(const Record& record);
  void heartbeat(const Record& record);
  void writer_closed(const Record& record);
  void run_started(const Record& record);
  void run_ended(const Record& record, const RunState& run);
  void metric(const Record& record, std::int64_t seq);
  void tensor(const Record& record, std::int64_t seq);
  void output(const Record& record, std::int64_t seq);
  std::int64_t artifact(std::int64_t seq, const Record& record, const std::string& name, const std::string& kind);
  void event(const Record& record, const Value& seq);
  void params(std::int64_t seq, const Json& body);
  void index_text(std::int64_t seq, const Json& body);
  void clock_skew(const Record& record);
  void write_fenced_events();

  RunState& state_of(const std::string& run);

  Connection& db_;
  const Segment& segment_;
  std::int64_t now_us_;
  std::int64_t rejected_ = 0;
  std::map<std::string, RunState> runs_;
  bool skew_reported_ = false;
};

}  // namespace diopter::store
