// One read-only statement of the user.
#include <sqlite3.h>

#include "base/error.hpp"
#include "store/reader.hpp"
#include "store/reader_detail.hpp"
#include "store/sql_error.hpp"

namespace diopter::store {
namespace {

using Clock = std::chrono::steady_clock;

// Reads only: no ATTACH, no writing or configuring PRAGMA, no extension loading, no transactions.
int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION: return second && std::string_view(second) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA: {
      const std::string_view name = first ? first : "";
      const bool describes =
          name == "table_info" || name == "table_xinfo" || name == "table_list" || name == "index_list" ||
          name == "index_info" || name == "foreign_key_list" || name == "database_list" ||
          ((name == "user_version" || name == "application_id" || name == "data_version") && !second);
      return describes ? SQLITE_OK : SQLITE_DENY;
    }
    default: return SQLITE_DENY;
  }
}

int interrupt_when_late(void* deadline) { return Clock::now() >= *static_cast<Clock::time_point*>(deadline) ? 1 : 0; }

// The two hooks are on while the statement is prepared and runs, and never longer.
class Guard {
 public:
  Guard(sqlite3* db, Clock::time_point& deadline) : db_(db) {
    sqlite3_set_authorizer(db_, authorize, nullptr);
    sqlite3_progress_handler(db_, 1000, interrupt_when_late, &deadline);
  }
  ~Guard() {
    sqlite3_progress_handler(db_, 0, nullptr, nullptr);
    sqlite3_set_authorizer(db_, nullptr, nullptr);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  sqlite3* db_;
};

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using OwnedStatement = std::unique_ptr<sqlite3_stmt, Finalizer>;

[[noreturn]] void refuse(const std::string& why, const std::string& help = {}) {
  throw base::UserError(base::Exit::Usage, "sql: " + why, help, "sql.refused");
}

void fail(Connection& db, int code) {
  switch (code & 0xff) {
    case SQLITE_INTERRUPT: refuse("the query took longer than its timeout", "--timeout 5m allows more");
    case SQLITE_AUTH:
    case SQLITE_READONLY: refuse("only reading is allowed here (" + std::string(sqlite3_errmsg(db.handle())) + ")");
    case SQLITE_CORRUPT:
    case SQLITE_IOERR:
    case SQLITE_BUSY: db.fail(code);
    default:
      refuse(sqlite3_errmsg(db.handle()),
             "the views are v_run v_param v_tag v_metric v_metric_last v_long v_tensor v_output"
             " v_artifact v_input v_item v_batch v_event");
  }
}

OwnedStatement prepare(Connection& db, std::string_view query) {
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v2(db.handle(), query.data(), static_cast<int>(query.size()), &raw, &rest);
  OwnedStatement statement(raw);
  if (code != SQLITE_OK) fail(db, code);
  if (!statement) refuse("there is no statement");
  const std::string_view after(rest, static_cast<std::size_t>(query.data() + query.size() - rest));
  if (after.find_first_not_of(" \t\r\n;") != std::string_view::npos)
    refuse("one statement at a time; more follows the first ';'");
  if (!sqlite3_stmt_readonly(statement.get())) refuse("only reading is allowed here");
  return statement;
}

void bind(Connection& db, sqlite3_stmt* statement, const std::map<std::string, Value>& params) {
  const int count = sqlite3_bind_parameter_count(statement);
  for (int i = 1; i <= count; ++i) {
    const char* name = sqlite3_bind_parameter_name(statement, i);
    const auto at = name ? params.find(name + 1) : params.end();  // without its ':', '@' or '$'
    if (at == params.end())
      refuse("parameter " + std::string(name ? name : "?") + " has no value", "--params name=value");
    const int code = std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::int64_t>) return sqlite3_bind_int64(statement, i, value);
          else if constexpr (std::is_same_v<T, double>) return sqlite3_bind_double(statement, i, value);
          else if constexpr (std::is_same_v<T, std::string>)
            return sqlite3_bind_text64(statement, i, value.c_str(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
          else if constexpr (std::is_same_v<T, Blob>)
            return sqlite3_bind_blob64(statement, i, value.bytes.data(), value.bytes.size(), SQLITE_TRANSIENT);
          else return sqlite3_bind_null(statement, i);
        },
        at->second);
    if (code != SQLITE_OK) fail(db, code);
  }
}

Value cell(sqlite3_stmt* statement, int column) {
  const auto bytes = [&] {
    const void* data = sqlite3_column_blob(statement, column);
    const int size = sqlite3_column_bytes(statement, column);
    return data ? std::string(static_cast<const char*>(data), static_cast<std::size_t>(size)) : std::string();
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: return sqlite3_column_int64(statement, column);
    case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: return bytes();
    case SQLITE_BLOB: return Blob{bytes()};
    default: return {};
  }
}

}  // namespace

SqlResult Reader::sql(std::string_view query, const SqlOptions& options) const {
  Clock::time_point deadline = Clock::now() + options.timeout;
  const Guard guard(db_->handle(), deadline);
  const OwnedStatement statement = prepare(*db_, query);
  bind(*db_, statement.get(), options.params);
  SqlResult out;
  const int columns = sqlite3_column_count(statement.get());
  for (int i = 0; i < columns; ++i) out.columns.emplace_back(sqlite3_column_name(statement.get(), i));
  for (;;) {
    const int code = sqlite3_step(statement.get());
    if (code == SQLITE_DONE) return out;
    if (code != SQLITE_ROW) fail(*db_, code);
    auto& row = out.rows.emplace_back();
    for (int i = 0; i < columns; ++i) row.push_back(cell(statement.get(), i));
    if (options.max_rows != 0 && out.rows.size() >= options.max_rows) return out;
  }
}

}  // namespace diopter::store
