#include "core/exec/kill_judge.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/exec/kill_analysis.hpp"
#include "core/store/scratch.hpp"
#include "store/spool_format.hpp"

namespace diopter::testing {
namespace {

class Judge {
 public:
  Judge(const fs::path& store_directory, const fs::path& batch, KillTally& tally)
      : batch_(batch), tally_(tally), store_(store_directory), reader_(store_directory) {}

  void ingest_the_rest() {
    count_sealed();
    tally_.taken_before += count(store_, "SELECT count(*) FROM imported_segment");
    for (const auto& problem : store::ingest_all(store_, batch_.parent_path(), {.keep_spool = true}).problems)
      tally_.finding(tally_.other, problem.file.string() + ": " + problem.message);
    if (const auto again = store::ingest_all(store_, batch_.parent_path(), {.keep_spool = true}); again.segments != 0)
      tally_.finding(tally_.other, "a second ingest found new segments");
  }

  void look_at(const Ledger& ledger) {
    const std::uint32_t appended = ledger.appended, sealed = ledger.sealed;
    tally_.acknowledged += appended;
    tally_.acknowledged_sealed += sealed;
    for (std::uint32_t i = 0; i < appended; ++i) {
      const LedgerEntry& entry = ledger.entries[i];
      if (is_there(entry)) continue;
      const std::string what = "run " + std::string(entry.run) + ", what " +
                               std::to_string(static_cast<int>(entry.what)) + ", step " + std::to_string(entry.step) +
                               (i < sealed ? ", sealed" : "");
      if (i < sealed) ++tally_.lost_sealed;
      tally_.finding(tally_.lost, "lost: " + what);
    }
    no_more_than_was_said(ledger);
  }

  void look_at_the_whole() {
    const auto none = [&](std::int64_t& kind, const std::string& what, const std::string& query) {
      if (const auto n = count(store_, query); n != 0) tally_.finding(kind, std::to_string(n) + " " + what);
    };
    none(tally_.partial, "steps with some of their metrics",
         "SELECT count(*) FROM (SELECT count(*) AS n FROM metric GROUP BY run_seq, step) WHERE n <> 3");
    none(tally_.partial, "runs with a step missing",
         "SELECT count(*) FROM (SELECT max(step) + 1 - count(DISTINCT step) AS gap FROM metric GROUP BY run_seq) WHERE "
         "gap <> 0");
    none(
        tally_.partial, "tables without both columns",
        "SELECT count(*) FROM output o WHERE o.type = 'table' AND 2 <> (SELECT count(*) FROM tensor t WHERE t.run_seq ="
        " o.run_seq AND t.name IN (o.name || '.x', o.name || '.y'))");
    none(tally_.partial, "columns without their table",
         "SELECT count(*) FROM tensor t WHERE t.name LIKE 'top%' AND NOT EXISTS (SELECT 1 FROM output o WHERE "
         "o.run_seq ="
         " t.run_seq AND o.name || '.x' = t.name OR o.run_seq = t.run_seq AND o.name || '.y' = t.name)");
    none(tally_.partial, "runs without their configuration",
         "SELECT count(*) FROM run WHERE seq NOT IN (SELECT run_seq FROM run_doc)");
    none(tally_.other, "runs still running", "SELECT count(*) FROM run WHERE status = 'running'");
    none(tally_.other, "records rejected", "SELECT coalesce(sum(rejected), 0) FROM imported_segment");
    none(tally_.other, "items without the run that answers them",
         "SELECT count(*) FROM plan_item i WHERE run_id IS NULL AND EXISTS (SELECT 1 FROM run r WHERE r.batch_id ="
         " i.batch_id AND r.item = i.item AND r.status = 'succeeded')");
    none(tally_.other, "broken references", "SELECT count(*) FROM pragma_foreign_key_check");
    store::Statement check = store_.connection().prepare("PRAGMA integrity_check");
    if (!check.step() || check.text(0) != "ok") tally_.finding(tally_.other, "integrity_check: " + check.text(0));
    every_sealed_segment_was_taken();
  }

 private:
  // Also those in done/, unless the batch was closed and its spool went.
  std::vector<fs::path> sealed_segments() const {
    std::vector<fs::path> out;
    if (!fs::exists(batch_)) return out;
    for (const auto& entry : fs::recursive_directory_iterator(batch_)) {
      if (store::segment_number(entry.path().filename().string(), ".jsonl")) out.push_back(entry.path());
    }
    return out;
  }

  void count_sealed() {
    for (const fs::path& segment : sealed_segments()) {
      const std::string bytes = base::read_file(segment);
      ++tally_.sealed_segments;
      tally_.sealed_records += std::count(bytes.begin(), bytes.end(), '\n');
    }
  }

  void every_sealed_segment_was_taken() {
    for (const fs::path& segment : sealed_segments()) {
      const std::string bytes = base::read_file(segment), writer = segment.parent_path().filename().string();
      auto found =
          store_.connection().prepare("SELECT records FROM imported_segment WHERE writer_id = ? AND segment = ?");
      const auto number = *store::segment_number(segment.filename().string(), ".jsonl");
      if (!found.bind(writer, number).step()) {
        ++tally_.lost_sealed;
        tally_.finding(tally_.lost, "a sealed segment was not taken: " + segment.string());
      } else if (found.integer(0) != std::count(bytes.begin(), bytes.end(), '\n')) {
        tally_.finding(tally_.partial, "a segment was taken in part: " + segment.string());
      }
    }
  }

  bool is_there(const LedgerEntry& entry) {
    const std::string run = entry.run, suffix = std::to_string(entry.step);
    switch (entry.what) {
      case Said::Started: return has("SELECT 1 FROM run WHERE id = ?", run);
      case Said::Ended: return has("SELECT 1 FROM run WHERE status = 'succeeded' AND id = ?", run);
      case Said::Small: return bytes(run, "small" + suffix) == bytes_of(run, entry.step, kSmallBytes);
      case Said::Large: return bytes(run, "large" + suffix) == bytes_of(run, entry.step, kLargeBytes);
      case Said::Table:
        return has("SELECT 1 FROM v_output WHERE run_id = ? AND type = 'table' AND name = ?", run, "top" + suffix) &&
               bytes(run, "top" + suffix + ".x") == bytes_of(run, entry.step, kSmallBytes);
      case Said::Text:
        return has("SELECT 1 FROM v_output WHERE run_id = ? AND name = ? AND doc = ?", run, "text" + suffix,
                   store::Json(bytes_of(run, entry.step, kSmallBytes)).dump());
      case Said::Event: return has("SELECT 1 FROM v_event WHERE run_id = ? AND kind = ?", run, "tick" + suffix);
      case Said::Step:
        return std::all_of(std::begin(kMetricsOfAStep), std::end(kMetricsOfAStep), [&](const char* name) {
          return has("SELECT 1 FROM v_metric WHERE run_id = ? AND name = ? AND step = ? AND value = ?", run, name,
                     entry.step, value_of(run, name, entry.step));
        });
    }
    return false;
  }

  template <class... Values>
  bool has(const char* query, const Values&... values) {
    auto found = store_.connection().prepare(query);
    return found.bind(values...).step();
  }

  std::string bytes(const std::string& run, const std::string& tensor) const {
    try {
      return reader_.tensor(run, tensor).bytes;
    } catch (const base::UserError& error) {
      return error.what();
    }
  }

  // A call that had not returned may have left its group, or its two at the end of a run; nothing else is new.
  void no_more_than_was_said(const Ledger& ledger) {
    auto found = store_.connection().prepare(
        "WITH r AS (SELECT seq, status FROM run WHERE writer_id = ?1) SELECT (SELECT count(*) FROM r) + (SELECT "
        "count(*)"
        " FROM r WHERE status = 'succeeded') + (SELECT count(*) FROM (SELECT DISTINCT run_seq, step FROM metric WHERE"
        " run_seq IN (SELECT seq FROM r))) + (SELECT count(*) FROM tensor WHERE run_seq IN (SELECT seq FROM r) AND name"
        " NOT LIKE 'top%') + (SELECT count(*) FROM output WHERE run_seq IN (SELECT seq FROM r)) + (SELECT count(*) FROM"
        " event WHERE writer_id = ?1)");
    found.bind(ledger.writer).step();
    const std::int64_t groups = found.integer(0), said = ledger.appended;
    if (groups < said || groups > said + 2) {
      tally_.finding(tally_.other, std::to_string(groups) + " groups of a writer that said " + std::to_string(said));
    }
  }

  fs::path batch_;
  KillTally& tally_;
  store::Store store_;
  store::Reader reader_;
};

}  // namespace

void judge(const fs::path& store_directory, const fs::path& batch, Ledgers& ledgers, std::size_t writers,
           KillTally& tally) {
  { store::Store made(store_directory); }  // when no ingester lived long enough
  Judge judge(store_directory, batch, tally);
  judge.ingest_the_rest();
  for (std::size_t i = 0; i < writers; ++i) judge.look_at(ledgers[i]);
  judge.look_at_the_whole();
}

}  // namespace diopter::testing
