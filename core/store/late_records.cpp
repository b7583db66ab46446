#include "store/late_records.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "store/segment_rows.hpp"

namespace diopter::store {

LateRecords fence_late_records(Store& store, Segment whole) {
  LateRecords late;
  const std::int64_t records = whole.next_n - whole.first_n;
  const auto taken_of = [&](Connection& db) {
    Statement found = db.prepare(
        "SELECT s.records FROM imported_segment s JOIN writer w ON w.id = s.writer_id AND w.end_kind = 'dead'"
        " WHERE s.writer_id = ? AND s.segment = ?");
    return found.bind(whole.writer, whole.number).step() ? found.integer(0) : records;
  };
  if (taken_of(store.connection()) >= records) return late;
  store.transact([&](Connection& db) {
    late = {};
    const std::int64_t taken = taken_of(db);  // again: another ingest may have been faster
    if (taken >= records) return;
    Segment rest = whole;
    std::erase_if(rest.groups,
                  [&](const Group& group) { return !group.empty() && group.front().n < whole.first_n + taken; });
    SegmentRows rows(db, rest, base::now_us());
    rows.add_all();
    late = {.records = records - taken, .rejected = rows.rejected()};
    db.prepare(
          "UPDATE imported_segment SET records = ?, sha256 = ?, rejected = rejected + ? WHERE writer_id = ? AND"
          " segment = ?")
        .bind(records, whole.sha256, late.rejected, whole.writer, whole.number)
        .run();
  });
  return late;
}

}  // namespace diopter::store
