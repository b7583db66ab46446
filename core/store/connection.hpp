// One SQLite connection with the settings every connection of diopter has, and its prepared statements.
//
// One thread at a time. The handle does not survive fork(): using it in the child is an internal error, and its
// destructor there leaves the descriptors alone. Nobody else may open the database file: closing any descriptor of it
// would drop every POSIX lock of the process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/rows.hpp"

struct sqlite3;
struct sqlite3_stmt;
namespace SQLite {
class Database;
}  // namespace SQLite

namespace diopter::store {

class Connection;

// A prepared statement, lent by the connection; reset when this handle dies. Columns and parameters count from 0.
class Statement {
 public:
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <class... Values>
  Statement& bind(const Values&... values) {
    int at = 0;
    (bind_at(at++, values), ...);
    return *this;
  }
  void bind_at(int at, std::nullptr_t);
  void bind_at(int at, std::int64_t value);
  void bind_at(int at, int value) { bind_at(at, static_cast<std::int64_t>(value)); }
  void bind_at(int at, std::size_t value) { bind_at(at, static_cast<std::int64_t>(value)); }
  void bind_at(int at, bool value) { bind_at(at, static_cast<std::int64_t>(value)); }
  void bind_at(int at, double value);  // NaN becomes NULL
  void bind_at(int at, std::string_view text);
  void bind_at(int at, const std::string& text) { bind_at(at, std::string_view(text)); }
  void bind_at(int at, const char* text) { bind_at(at, std::string_view(text)); }
  void bind_at(int at, const Blob& blob);
  void bind_at(int at, const Value& value);
  template <class T>
  void bind_at(int at, const std::optional<T>& value) {
    if (value) bind_at(at, *value);
    else bind_at(at, nullptr);
  }
  int parameter(const std::string& name) const;  // index of ":name", -1 when the statement has none

  bool step();  // true: a row is ready
  void run() {  // to the end
    while (step()) {
    }
  }

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::optional<double> maybe_real(int column) const;
  std::optional<std::string> maybe_text(int column) const;
  Value value(int column) const;
  int columns() const;
  std::string column_name(int column) const;

 private:
  friend class Connection;
  Statement(const Connection& db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}

  const Connection& db_;
  sqlite3_stmt* statement_;
};

enum class Access { ReadOnly, Immutable, ReadWrite, Create };

class Connection {
 public:
  // Opens and configures. UserError(Store). `vfs` names another SQLite VFS: tests inject faults with it.
  Connection(std::filesystem::path database, Access access, const char* vfs = nullptr);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The statement is prepared once per text and kept. One lent handle per text at a time.
  Statement prepare(std::string_view sql);
  void execute(const std::string& sql);  // any number of statements, no parameters, no result
  std::int64_t changes() const;          // rows the last statement changed
  std::int64_t last_id() const;
  std::int64_t integer(std::string_view sql);  // the first cell of a query without parameters
  bool in_transaction() const;
  void begin(const char* sql);  // "BEGIN ..."; what an earlier transaction left open is rolled back first
  // What was not committed is gone; nothing happens outside a transaction. Works without memory too, because begin()
  // prepared the statement: a transaction that stays open would keep every other process waiting.
  void roll_back() noexcept;

  sqlite3* handle() const;
  const std::filesystem::path& file() const noexcept { return file_; }
  [[noreturn]] void fail(int code) const;  // the connection's last error as SqlError

 private:
  void configure();

  std::filesystem::path file_;
  pid_t owner_;
  std::unique_ptr<SQLite::Database> db_;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;  // owned
};

}  // namespace diopter::store
