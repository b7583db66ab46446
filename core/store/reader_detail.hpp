// What the parts of Reader share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/connection.hpp"
#include "store/rows.hpp"

namespace diopter::store {

// One consistent view over several queries; as short as the function that holds it.
class ReadTransaction {
 public:
  explicit ReadTransaction(Connection& db);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Connection& db_;
};

std::string run_columns();  // "SELECT ..., FROM run r LEFT JOIN ...": the columns of run_row
RunRow run_row(const Statement& at);
std::string displayed_status();  // SQL expression: "stale" for a running run without a heartbeat for 120 s

// Of one run; UserError(NoMatch) when there is no such id.
std::int64_t run_seq(Connection& db, const std::string& run_id);

std::vector<MetricRow> last_metrics(Connection& db, std::int64_t seq);
TensorRow tensor_row(const Statement& at);  // of tensor_columns()
std::string tensor_columns();
Json parsed(const std::optional<std::string>& text);            // null for nothing
std::string json_array(const std::vector<std::string>& texts);  // for json_each(?)

}  // namespace diopter::store
