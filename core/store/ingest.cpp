#include "store/ingest.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "store/batch_rows.hpp"
#include "store/spool_format.hpp"
#include "store/writer_spool.hpp"

namespace diopter::store {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kUlidLength = 26;

std::vector<std::string> ulid_directories(const fs::path& parent) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(parent, error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename().string();
    std::error_code gone;
    if (name.size() == kUlidLength && at->is_directory(gone)) out.push_back(std::move(name));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw base::UserError(base::Exit::Store, "cannot read the spool " + parent.string() + ": " + error.message());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// False when the batch is unknown and its plan cannot be read: then nothing of it can be taken.
bool know_batch(Store& store, const fs::path& batch_spool, IngestReport& report) {
  const std::string id = batch_spool.filename().string();
  if (has_batch(store.connection(), id)) return true;
  try {
    const ReadPlan plan = read_plan(batch_spool);
    if (plan.plan.header.batch_id != id) {
      report.problems.push_back({batch_spool / "plan.jsonl", "it is the plan of batch " + plan.plan.header.batch_id});
      return false;
    }
    store.transact([&](Connection& db) { add_plan(db, plan); });
    return true;
  } catch (const base::UserError& error) {
    if (error.exit() == base::Exit::Store) throw;
    if (fs::exists(batch_spool)) report.problems.push_back({batch_spool / "plan.jsonl", error.what()});
    return false;
  }
}

constexpr const char* kPlanFiles[] = {"plan.jsonl", "plan.sha256"};

void keep_plan(const fs::path& store, const fs::path& batch_spool) {
  const fs::path kept = store / "artifacts" / "batch" / batch_spool.filename();
  for (const char* name : kPlanFiles) {
    std::string bytes;
    try {
      bytes = base::read_file(batch_spool / name);
    } catch (const base::UserError&) {
      if (fs::exists(batch_spool / name)) throw;
      continue;  // another ingest kept it and took it away
    }
    base::make_directories(kept);
    base::write_file_atomically(kept / name, bytes);
  }
}

// The plan stays with the store; the rest of a finished batch goes. A new writer may come at any moment, and its
// directory is empty at first: only directories of writers that the store knows (all of them have ended) go, and only
// empty ones.
void clean_up(Store& store, const fs::path& batch_spool) {
  keep_plan(store.directory(), batch_spool);
  std::error_code ignored;
  fs::remove_all(done_directory(batch_spool), ignored);
  for (const std::string& writer : ulid_directories(batch_spool)) {
    Statement known = store.connection().prepare("SELECT 1 FROM writer WHERE id = ?");
    if (known.bind(writer).step()) fs::remove(batch_spool / writer, ignored);
  }
  for (const char* name : {"logs", "outputs"}) fs::remove(batch_spool / name, ignored);
  for (fs::directory_iterator at(batch_spool, ignored), end; !ignored && at != end; at.increment(ignored)) {
    const std::string name = at->path().filename().string();
    const bool is_plan = std::find(std::begin(kPlanFiles), std::end(kPlanFiles), name) != std::end(kPlanFiles);
    if (!is_plan) return;  // something a person or a later attempt may want
  }
  for (const char* name : kPlanFiles) fs::remove(batch_spool / name, ignored);
  fs::remove(batch_spool, ignored);
}

void close_if_done(Store& store, const fs::path& batch_spool, const IngestOptions& options, IngestReport& report) {
  const std::string id = batch_spool.filename().string();
  if (!batch_is_done(store.connection(), id)) return;  // most calls: no lock for a look
  WriteSession session(store);
  if (!close_batch_if_done(session.db(), id, base::now_us())) return;
  session.commit();
  const bool clean = session.checkpoint();
  report.closed_batches.push_back(id);
  if (clean && !options.keep_spool) clean_up(store, batch_spool);
}

struct OpenWriter {
  std::string id, batch;
  fs::path spool_dir;
};

std::vector<OpenWriter> open_writers(Connection& db) {
  std::vector<OpenWriter> out;
  Statement at = db.prepare(
      "SELECT w.id, w.batch_id, b.spool_dir FROM writer w JOIN batch b ON b.id = w.batch_id WHERE w.ended_at_us IS "
      "NULL");
  while (at.step()) out.push_back({at.text(0), at.text(1), at.text(2)});
  return out;
}

// Writers that are gone together with their spool: somebody deleted it. Their runs must not run for ever.
void bury_without_spool(Store& store, const fs::path& spool, IngestReport& report) {
  for (const OpenWriter& writer : open_writers(store.connection())) {
    std::error_code ignored;
    if (fs::exists(spool / writer.batch, ignored) || fs::exists(writer.spool_dir, ignored)) continue;
    WriterSpool(store, spool / writer.batch, writer.id, report).ingest();
  }
}

void merge(IngestReport& into, IngestReport&& from) {
  into.segments += from.segments;
  into.duplicates += from.duplicates;
  into.records += from.records;
  into.rejected += from.rejected;
  const auto append = [](auto& a, auto& b) {
    a.insert(a.end(), std::make_move_iterator(b.begin()), std::make_move_iterator(b.end()));
  };
  append(into.problems, from.problems);
  append(into.crashed, from.crashed);
  append(into.closed_batches, from.closed_batches);
}

}  // namespace

IngestReport ingest_batch(Store& store, const fs::path& batch_spool, const IngestOptions& options) {
  IngestReport report;
  if (!know_batch(store, batch_spool, report)) return report;
  for (const std::string& writer : ulid_directories(batch_spool))
    WriterSpool(store, batch_spool, writer, report).ingest();
  if (report.problems.empty()) close_if_done(store, batch_spool, options, report);
  return report;
}

IngestReport ingest_all(Store& store, const fs::path& spool, const IngestOptions& options) {
  IngestReport report;
  for (const std::string& batch : ulid_directories(spool)) merge(report, ingest_batch(store, spool / batch, options));
  bury_without_spool(store, spool, report);
  return report;
}

IngestReport reap_writer(Store& store, const fs::path& batch_spool, const std::string& writer_id,
                         const std::string& proof) {
  IngestReport report;
  if (!know_batch(store, batch_spool, report)) return report;
  WriterSpool(store, batch_spool, writer_id, report).ingest(proof);
  return report;
}

}  // namespace diopter::store
