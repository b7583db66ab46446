// Batches and their items.
#include "base/error.hpp"
#include "base/hints.hpp"
#include "store/reader.hpp"
#include "store/reader_detail.hpp"

namespace diopter::store {
namespace {

constexpr const char* kBatchColumns =
    "SELECT b.id, b.name, b.executor, b.spool_dir, b.plan_sha256, b.manifest_sha256, m.path, b.planned, "
    "b.created_at_us,"
    " b.closed_at_us FROM batch b JOIN manifest m ON m.sha256 = b.manifest_sha256 ";

BatchRow batch_row(const Statement& at) {
  return {at.text(0), at.text(1),       at.text(2),    at.text(3),    at.text(4),
          at.text(5), at.maybe_text(6), at.integer(7), at.integer(8), at.maybe_integer(9)};
}

}  // namespace

std::vector<BatchRow> Reader::batches(std::int64_t limit) const {
  std::vector<BatchRow> out;
  Statement at = db_->prepare(std::string(kBatchColumns) + "ORDER BY b.created_at_us DESC, b.id DESC LIMIT ?");
  for (at.bind(limit > 0 ? limit : std::int64_t{-1}); at.step();) out.push_back(batch_row(at));
  return out;
}

BatchRow Reader::batch(std::string_view name_or_id) const {
  {
    Statement at =
        db_->prepare(std::string(kBatchColumns) +
                     "WHERE b.id = ?1 OR b.name = ?1 ORDER BY b.id = ?1 DESC, b.created_at_us DESC, b.id DESC LIMIT 1");
    if (at.bind(name_or_id).step()) return batch_row(at);
  }
  std::vector<std::string> known;
  Statement names = db_->prepare("SELECT DISTINCT name FROM batch ORDER BY name");
  while (names.step()) known.push_back(names.text(0));
  throw base::UserError(base::Exit::NoMatch,
                        "no batch is called '" + std::string(name_or_id) + "'" + base::did_you_mean(name_or_id, known));
}

std::vector<ItemRow> Reader::items(const std::string& batch_id) const {
  std::vector<ItemRow> out;
  Statement at = db_->prepare(
      "SELECT item, stage, entry, name, kind, fingerprint, run_id, state, attempts FROM v_item"
      " WHERE batch_id = ? ORDER BY item");
  for (at.bind(batch_id); at.step();) {
    out.push_back({at.integer(0), at.integer(1), at.text(2), at.text(3), at.text(4), at.text(5), at.maybe_text(6),
                   at.text(7), at.integer(8)});
  }
  return out;
}

std::vector<std::string> Reader::batch_runs(const std::string& batch_id) const {
  std::vector<std::string> out;
  Statement at = db_->prepare("SELECT run_id FROM plan_item WHERE batch_id = ? AND run_id IS NOT NULL ORDER BY item");
  for (at.bind(batch_id); at.step();) out.push_back(at.text(0));
  return out;
}

}  // namespace diopter::store
