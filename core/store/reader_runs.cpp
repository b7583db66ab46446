// Listing runs.
#include <limits>

#include "base/error.hpp"
#include "store/reader.hpp"
#include "store/reader_detail.hpp"

namespace diopter::store {
namespace {

// Conditions from fixed text and bound values: no user text ever reaches the SQL string.
class Conditions {
 public:
  void add(const std::string& condition, std::vector<Value> values = {}) {
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += condition;
    for (Value& value : values) values_.push_back(std::move(value));
  }
  void any_of(const std::string& expression, const std::vector<std::string>& words) {
    if (!words.empty()) add(expression + " IN (SELECT value FROM json_each(?))", {json_array(words)});
  }
  const std::string& text() const { return text_; }
  int bind(Statement& statement) const {
    int at = 0;
    for (const Value& value : values_) statement.bind_at(at++, value);
    return at;
  }

 private:
  std::string text_;
  std::vector<Value> values_;
};

// FTS5 syntax in the words would be an error message about SQL: each word becomes a quoted phrase.
std::string phrases(const std::string& words) {
  std::string out, word;
  const auto flush = [&] {
    if (!word.empty()) out += (out.empty() ? "\"" : " \"") + word + '"';
    word.clear();
  };
  for (const char c : words) {
    if (c == ' ' || c == '\t' || c == '\n') flush();
    else word += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  flush();
  return out;
}

Conditions conditions_of(const RunQuery& query, const std::optional<std::string>& batch_id) {
  Conditions where;
  if (!query.all) where.add("r.archived_at_us IS NULL AND r.deleted_at_us IS NULL");
  if (query.since_us) where.add("r.started_at_us >= ?", {*query.since_us});
  if (query.until_us) where.add("r.started_at_us < ?", {*query.until_us});
  where.any_of(displayed_status(), query.status);
  where.any_of("r.kind", query.kind);
  where.any_of("r.model", query.model);
  if (batch_id) {
    where.add(
        "r.seq IN (SELECT seq FROM run WHERE batch_id = ? UNION SELECT x.seq FROM plan_item i JOIN run x ON x.id = "
        "i.run_id"
        " WHERE i.batch_id = ?)",
        {*batch_id, *batch_id});
  }
  for (const TagRow& tag : query.tags) {
    if (tag.value.empty()) where.add("r.seq IN (SELECT run_seq FROM tag WHERE key = ?)", {tag.key});
    else where.add("r.seq IN (SELECT run_seq FROM tag WHERE key = ? AND value = ?)", {tag.key, tag.value});
  }
  if (query.search && !phrases(*query.search).empty()) {
    where.add("r.seq IN (SELECT rowid FROM run_fts WHERE run_fts MATCH ?)", {phrases(*query.search)});
  }
  if (query.ids) where.add("r.id IN (SELECT value FROM json_each(?))", {json_array(*query.ids)});
  return where;
}

}  // namespace

std::vector<MetricRow> last_metrics(Connection& db, std::int64_t seq) {
  std::vector<MetricRow> out;
  Statement at =
      db.prepare("SELECT name, step, value, is_nan, stderr FROM metric_last WHERE run_seq = ? ORDER BY name");
  for (at.bind(seq); at.step();) {
    out.push_back({at.text(0), at.integer(1),
                   at.integer(3) != 0 ? std::numeric_limits<double>::quiet_NaN() : at.real(2), at.maybe_real(4)});
  }
  return out;
}

RunList Reader::runs(const RunQuery& query) const {
  std::optional<std::string> batch_id;
  if (query.batch) batch_id = batch(*query.batch).id;
  const ReadTransaction view(*db_);
  const Conditions where = conditions_of(query, batch_id);
  RunList out;
  {
    Statement count =
        db_->prepare("SELECT count(*) FROM run r LEFT JOIN writer w ON w.id = r.writer_id" + where.text());
    where.bind(count);
    if (count.step()) out.total = count.integer(0);
  }
  Statement at =
      db_->prepare(run_columns() + where.text() + " ORDER BY r.started_at_us DESC, r.seq DESC LIMIT ? OFFSET ?");
  const int used = where.bind(at);
  at.bind_at(used, query.limit > 0 ? query.limit : std::int64_t{-1});
  at.bind_at(used + 1, query.offset);
  while (at.step()) out.rows.push_back(run_row(at));
  for (RunRow& row : out.rows) row.last_metrics = last_metrics(*db_, row.seq);
  return out;
}

RunRow Reader::row(const std::string& run_id) const {
  const ReadTransaction view(*db_);
  Statement at = db_->prepare(run_columns() + "WHERE r.id = ?");
  if (!at.bind(run_id).step()) throw base::UserError(base::Exit::NoMatch, "no run has the id " + run_id);
  RunRow row = run_row(at);
  row.last_metrics = last_metrics(*db_, row.seq);
  return row;
}

}  // namespace diopter::store
