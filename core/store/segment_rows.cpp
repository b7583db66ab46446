#include "store/segment_rows.hpp"

#include <algorithm>

#include "store/fact_rows.hpp"
#include "store/optional_json.hpp"

namespace diopter::store {
namespace {

constexpr std::int64_t kSkewTolerance =
    5'000'000;  // clocks of two hosts differ by milliseconds; of a broken one by more

}  // namespace

SegmentRows::SegmentRows(Connection& db, const Segment& segment, std::int64_t now_us)
    : db_(db), segment_(segment), now_us_(now_us) {}

void SegmentRows::add_all() {
  for (const Group& group : segment_.groups) {
    for (const Record& record : group) add(record);
  }
  write_fenced_events();
}

void SegmentRows::add(const Record& record) {
  if (record.type == "writer_opened") writer_opened(record);
  else if (record.type == "heartbeat") heartbeat(record);
  else if (record.type == "writer_closed") writer_closed(record);
  else if (record.type == "run_started") run_started(record);
  else if (record.type == "event" && record.run.empty()) event(record, {});
  else if (!record.run.empty()) add_of_run(record);
  else add_fact(db_, record);
}

void SegmentRows::add_of_run(const Record& record) {
  RunState& run = state_of(record.run);
  if (!run.accepts) {
    if (run.rejected++ == 0) run.first_rejected_n = record.n;
    ++rejected_;
    return;
  }
  if (record.type == "metric") metric(record, run.seq);
  else if (record.type == "tensor") tensor(record, run.seq);
  else if (record.type == "output") output(record, run.seq);
  else if (record.type == "artifact") artifact(run.seq, record, record.body.at("name"), record.body.at("kind"));
  else if (record.type == "event") event(record, run.seq);
  else if (record.type == "run_ended") {
    run_ended(record, run);
    run.accepts = false;
  } else {
    throw BadSegment("a record of type '" + record.type + "' names a run");
  }
}

SegmentRows::RunState& SegmentRows::state_of(const std::string& run) {
  auto [at, is_new] = runs_.try_emplace(run);
  if (is_new) {
    Statement found = db_.prepare("SELECT seq, writer_id = ?2 AND status = 'running' FROM run WHERE id = ?1");
    if (found.bind(run, segment_.writer).step())
      at->second = {.seq = found.integer(0), .accepts = found.integer(1) != 0};
  }
  return at->second;
}

void SegmentRows::writer_opened(const Record& record) {
  const Json& body = record.body;
  db_.prepare(
         "INSERT INTO writer(id, batch_id, host, boot_id, pid, pid_start, pid_ns, scheduler, scheduler_job, "
         "restart_count,"
         " opened_at_us, heartbeat_at_us) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(segment_.writer, segment_.batch, body.at("host").get<std::string>(), maybe_text(body, "boot_id"),
            body.at("pid").get<std::int64_t>(), maybe_integer(body, "pid_start"), maybe_integer(body, "pid_ns"),
            maybe_text(body, "scheduler"), maybe_text(body, "scheduler_job"),
            maybe_integer(body, "restart_count").value_or(0), record.at, std::min(record.at, now_us_))
      .run();
  db_.prepare("UPDATE batch SET closed_at_us = NULL WHERE id = ? AND closed_at_us IS NOT NULL")
      .bind(segment_.batch)
      .run();
  clock_skew(record);
}

void SegmentRows::heartbeat(const Record& record) {
  db_.prepare("UPDATE writer SET heartbeat_at_us = max(heartbeat_at_us, ?) WHERE id = ? AND ended_at_us IS NULL")
      .bind(std::min(record.at, now_us_), segment_.writer)
      .run();
  clock_skew(record);
}

// A clock in the future would keep a dead writer looking alive: it is capped, and once per segment an event says so.
void SegmentRows::clock_skew(const Record& record) {
  if (record.at <= now_us_ + kSkewTolerance || skew_reported_) return;
  skew_reported_ = true;
  const Json data = {{"ahead_us", record.at - now_us_}};
  db_.prepare(
         "INSERT INTO event(batch_id, at_us, level, kind, message, data, writer_id, writer_n)"
         " VALUES (?,?,'warning','clock_skew',?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(segment_.batch, now_us_, "the clock of a writer is ahead of this machine's; its heartbeats are capped",
            data.dump(), segment_.writer, record.n)
      .run();
}

void SegmentRows::writer_closed(const Record& record) {
  const std::string kind = record.body.at("kind");
  if (kind != "closed" && kind != "requeued") throw BadSegment("a writer ended as '" + kind + "'");
  db_.prepare("UPDATE writer SET ended_at_us = ?, end_kind = ? WHERE id = ? AND ended_at_us IS NULL")
      .bind(record.at, kind, segment_.writer)
      .run();
  // A writer that says goodbye ends its runs first; one that did not leaves no run running for ever.
  db_.prepare(
         "UPDATE run SET status = 'crashed', error_type = 'crash', error_message = 'its writer closed without ending "
         "it',"
         " ended_at_us = max(started_at_us, ?) WHERE writer_id = ? AND status = 'running'")
      .bind(record.at, segment_.writer)
      .run();
}

void SegmentRows::event(const Record& record, const Value& seq) {
  const Json& body = record.body;
  const auto data = body.find("data");
  db_.prepare(
         "INSERT INTO event(run_seq, batch_id, at_us, level, kind, author, message, data, writer_id, writer_n)"
         " VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING")
      .bind(seq, segment_.batch, record.at, body.at("level").get<std::string>(), body.at("kind").get<std::string>(),
            maybe_text(body, "author"), maybe_text(body, "message"),
            data == body.end() || data->is_null() ? std::optional<std::string>() : data->dump(), segment_.writer,
            record.n)
      .run();
}

void SegmentRows::write_fenced_events() {
  for (const auto& [id, run] : runs_) {
    if (run.rejected == 0) continue;
    const Json data = {{"run", id}, {"records", run.rejected}};
    db_.prepare(
           "INSERT INTO event(run_seq, batch_id, at_us, level, kind, message, data, writer_id, writer_n)"
           " VALUES (?,?,?,'warning','fenced',?,?,?,?) ON CONFLICT DO NOTHING")
        .bind(run.seq != 0 ? Value(run.seq) : Value(), segment_.batch, now_us_,
              "records came for a run that had ended or belongs to another writer; they changed nothing", data.dump(),
              segment_.writer, run.first_rejected_n)
        .run();
  }
}

}  // namespace diopter::store
