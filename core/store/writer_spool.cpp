#include "store/writer_spool.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "store/late_records.hpp"
#include "store/optional_json.hpp"
#include "store/payload_files.hpp"
#include "store/segment_rows.hpp"
#include "store/sql_error.hpp"

namespace diopter::store {
namespace fs = std::filesystem;
namespace {

struct Numbered {
  std::int64_t number;
  fs::path file;
};

std::vector<Numbered> segments_in(const fs::path& directory, std::string_view extension) {
  std::vector<Numbered> out;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (const auto number = segment_number(at->path().filename().string(), extension))
      out.push_back({*number, at->path()});
  }
  std::sort(out.begin(), out.end(), [](const Numbered& a, const Numbered& b) { return a.number < b.number; });
  return out;
}

struct Expected {
  std::int64_t segment = 1, n = 1;
};

// imported_segment.records counts every line of a segment, its seal included.
Expected expected_next(Connection& db, const std::string& writer) {
  Statement found = db.prepare(
      "SELECT coalesce(max(segment), 0) + 1, coalesce(sum(records), 0) + 1 FROM imported_segment"
      " WHERE writer_id = ?");
  found.bind(writer).step();
  return {found.integer(0), found.integer(1)};
}

void require_identity(const Segment& segment, const std::string& batch, const std::string& writer,
                      std::int64_t number) {
  if (segment.batch != batch) throw BadSegment("it belongs to batch " + segment.batch);
  if (segment.writer != writer) throw BadSegment("it belongs to writer " + segment.writer);
  if (segment.number != number) throw BadSegment("it is segment " + std::to_string(segment.number));
}

void move_payloads(const fs::path& store, const fs::path& writer_directory, const Segment& segment) {
  for (const Group& group : segment.groups) {
    for (const Record& record : group) {
      const auto file = maybe_text(record.body, "file");
      if (!file) continue;
      move_payload({.from = writer_directory / checked_relative(*file),
                    .to = store / artifact_path(record.run, record.body.at("to").get<std::string>()),
                    .sha256 = record.body.at("file_sha256"),
                    .directory = record.body.value("directory", false)});
    }
  }
}

// False: another process imported it meanwhile.
bool insert(Connection& db, const Segment& segment, std::int64_t& rejected) {
  const std::int64_t now = base::now_us();
  db.prepare(
        "INSERT INTO imported_segment(writer_id, segment, sha256, records, imported_at_us) VALUES (?,?,?,?,?)"
        " ON CONFLICT DO NOTHING")
      .bind(segment.writer, segment.number, segment.sha256, segment.next_n - segment.first_n, now)
      .run();
  if (db.changes() == 0) return false;
  SegmentRows rows(db, segment, now);
  rows.add_all();
  rejected = rows.rejected();
  if (rejected > 0) {
    db.prepare("UPDATE imported_segment SET rejected = ? WHERE writer_id = ? AND segment = ?")
        .bind(rejected, segment.writer, segment.number)
        .run();
  }
  return true;
}

ProcessIdentity identity_of(const Json& body) {
  return {.host = body.at("host"),
          .boot_id = maybe_text(body, "boot_id"),
          .pid = body.at("pid"),
          .pid_start = maybe_integer(body, "pid_start"),
          .pid_ns = maybe_integer(body, "pid_ns")};
}

}  // namespace

WriterSpool::WriterSpool(Store& store, fs::path batch_spool, std::string writer_id, IngestReport& report)
    : store_(store),
      batch_spool_(std::move(batch_spool)),
      directory_(batch_spool_ / writer_id),
      writer_id_(std::move(writer_id)),
      batch_id_(batch_spool_.filename().string()),
      report_(report) {}

void WriterSpool::ingest(const std::optional<std::string>& given_proof) {
  take_sealed();
  const auto proof = given_proof ? given_proof : find_proof();
  if (!proof) return;
  take_sealed();  // again: it may have sealed one more between our listing and its end
  if (!stopped_) take_open();
  if (!stopped_) bury(*proof);
}

void WriterSpool::take_sealed() {
  for (const auto& [number, file] : segments_in(directory_, ".jsonl")) {
    if (stopped_ || !take(file, number, true)) return;
  }
}

void WriterSpool::take_open() {
  for (const auto& [number, file] : segments_in(directory_, ".open")) {
    if (!take(file, number, false)) return;
  }
}

bool WriterSpool::take(const fs::path& file, std::int64_t number, bool sealed) {
  const Expected expected = expected_next(store_.connection(), writer_id_);
  if (number < expected.segment) {
    if (sealed) take_again(file, number);
    ++report_.duplicates;
    move_to_done(file);
    return true;
  }
  if (number > expected.segment) {
    report_problem(file, "segment " + std::to_string(expected.segment) + " of this writer is missing");
    return false;
  }
  std::string bytes;
  try {
    bytes = base::read_file(file);
  } catch (const base::UserError& error) {
    if (!fs::exists(file)) return true;  // another ingest moved it to done/
    report_problem(file, error.what());
    return false;
  }
  try {
    const Segment segment = sealed ? read_sealed_segment(bytes) : read_open_segment(bytes);
    if (segment.used_bytes == 0) {  // the writer died between making the file and its first line
      move_to_done(file);
      return true;
    }
    require_identity(segment, batch_id_, writer_id_, number);
    if (segment.first_n != expected.n) {
      throw BadSegment("it starts with record " + std::to_string(segment.first_n) + ", expected " +
                       std::to_string(expected.n));
    }
    move_payloads(store_.directory(), directory_, segment);
    bool is_new = false;
    std::int64_t rejected = 0;
    store_.transact([&](Connection& db) { is_new = insert(db, segment, rejected); });
    if (is_new) {
      ++report_.segments;
      report_.records += segment.records;
      report_.rejected += rejected;
    } else {
      ++report_.duplicates;
    }
  } catch (const BadSegment& error) {
    report_problem(file, error.what());
    return false;
  } catch (const Json::exception& error) {
    report_problem(file, std::string("a record is not as it should be: ") + error.what());
    return false;
  } catch (const SqlError& error) {
    if ((error.code() & 0xff) != SQLITE_CONSTRAINT) throw;
    report_problem(file, error.what());
    return false;
  }
  move_to_done(file);
  return true;
}

// Nearly always there is nothing new in it.
void WriterSpool::take_again(const fs::path& file, std::int64_t number) {
  try {
    Segment segment = read_sealed_segment(base::read_file(file));
    require_identity(segment, batch_id_, writer_id_, number);
    const LateRecords late = fence_late_records(store_, std::move(segment));
    report_.records += late.records;
    report_.rejected += late.rejected;
  } catch (const BadSegment&) {  // what was taken of it counts
  } catch (const SqlError&) {
    throw;
  } catch (const base::UserError&) {
    if (fs::exists(file)) throw;  // else another ingest moved it to done/
  }
}

void WriterSpool::move_to_done(const fs::path& file) {
  const fs::path target = done_directory(batch_spool_) / writer_id_;
  base::make_directories(target);
  std::error_code error;
  fs::rename(file, target / file.filename(), error);
  if (error && error != std::errc::no_such_file_or_directory) {
    throw base::UserError(base::Exit::Store,
                          "cannot move " + file.string() + " to " + target.string() + ": " + error.message());
  }
}

std::optional<std::string> WriterSpool::find_proof() {
  std::optional<ProcessIdentity> identity;
  {
    Statement found = store_.connection().prepare(
        "SELECT host, boot_id, pid, pid_start, pid_ns, ended_at_us IS NOT NULL FROM writer WHERE id = ?");
    if (found.bind(writer_id_).step()) {
      if (found.integer(5) != 0) return {};
      identity = ProcessIdentity{found.text(0), found.maybe_text(1), found.integer(2), found.maybe_integer(3),
                                 found.maybe_integer(4)};
    }
  }
  if (!identity) identity = identity_from_open_segment();
  return identity ? death_proof(*identity) : std::nullopt;
}

// Of a writer that died before its first seal.
std::optional<ProcessIdentity> WriterSpool::identity_from_open_segment() const {
  const auto open = segments_in(directory_, ".open");
  if (open.empty()) return {};
  try {
    for (const Group& group : read_open_segment(base::read_file(open.front().file)).groups) {
      for (const Record& record : group) {
        if (record.type == "writer_opened") return identity_of(record.body);
      }
    }
  } catch (const BadSegment&) {  // its first line is wrong: nobody can say whose it was
  } catch (const Json::exception&) {
  } catch (const base::UserError&) {
    if (fs::exists(open.front().file)) throw;
  }
  return {};
}

void WriterSpool::bury(const std::string& proof) {
  std::vector<CrashedRun> crashed;
  store_.transact([&](Connection& db) {
    crashed.clear();
    const std::int64_t now = base::now_us();
    db.prepare(
          "UPDATE writer SET ended_at_us = ?, end_kind = 'dead', end_proof = ? WHERE id = ? AND ended_at_us IS NULL")
        .bind(now, proof, writer_id_)
        .run();
    struct Live {
      std::int64_t seq;
      std::string id;
    };
    std::vector<Live> live;
    {
      Statement found = db.prepare("SELECT seq, id FROM run WHERE writer_id = ? AND status = 'running'");
      for (found.bind(writer_id_); found.step();) live.push_back({found.integer(0), found.text(1)});
    }
    for (const Live& run : live) {
      const std::string message = "its process ended without a result (" + proof + ")";
      db.prepare(
            "UPDATE run SET status = 'crashed', error_type = 'crash', error_message = ?, ended_at_us ="
            " max(started_at_us, (SELECT heartbeat_at_us FROM writer WHERE id = run.writer_id))"
            " WHERE seq = ? AND writer_id = ? AND status = 'running'")
          .bind(message, run.seq, writer_id_)
          .run();
      db.prepare("UPDATE run_fts SET error = ? WHERE rowid = ?").bind(message, run.seq).run();
      db.prepare(
            "INSERT INTO event(run_seq, batch_id, at_us, level, kind, message, data) VALUES "
            "(?,?,?,'error','reaped',?,?)")
          .bind(run.seq, batch_id_, now, message, Json{{"proof", proof}, {"writer", writer_id_}}.dump())
          .run();
      crashed.push_back({run.id, proof});
    }
  });
  report_.crashed.insert(report_.crashed.end(), crashed.begin(), crashed.end());
}

void WriterSpool::report_problem(const fs::path& file, const std::string& message) {
  stopped_ = true;
  report_.problems.push_back({file, message});
}

}  // namespace diopter::store
