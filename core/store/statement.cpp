#include <sqlite3.h>

#include "base/error.hpp"
#include "store/connection.hpp"

namespace diopter::store {
namespace {

void expect(int code, const Connection& db) {
  if (code != SQLITE_OK) db.fail(code);
}

}  // namespace

// Resetting repeats the error that step() already threw.
Statement::~Statement() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Statement::bind_at(int at, std::nullptr_t) { expect(sqlite3_bind_null(statement_, at + 1), db_); }

void Statement::bind_at(int at, std::int64_t value) { expect(sqlite3_bind_int64(statement_, at + 1, value), db_); }

void Statement::bind_at(int at, double value) { expect(sqlite3_bind_double(statement_, at + 1, value), db_); }

void Statement::bind_at(int at, std::string_view text) {
  const char* bytes = text.data() ? text.data() : "";  // a null pointer would bind NULL
  expect(sqlite3_bind_text64(statement_, at + 1, bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8), db_);
}

void Statement::bind_at(int at, const Blob& blob) {
  expect(sqlite3_bind_blob64(statement_, at + 1, blob.bytes.data(), blob.bytes.size(), SQLITE_TRANSIENT), db_);
}

void Statement::bind_at(int at, const Value& value) {
  std::visit(
      [&](const auto& held) {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) bind_at(at, nullptr);
        else bind_at(at, held);
      },
      value);
}

int Statement::parameter(const std::string& name) const {
  return sqlite3_bind_parameter_index(statement_, name.c_str()) - 1;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  db_.fail(code);
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  if (bytes == nullptr && sqlite3_errcode(db_.handle()) == SQLITE_NOMEM) db_.fail(SQLITE_NOMEM);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes ? std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)) : std::string();
}

std::optional<std::int64_t> Statement::maybe_integer(int column) const {
  if (is_null(column)) return {};
  return integer(column);
}

std::optional<double> Statement::maybe_real(int column) const {
  if (is_null(column)) return {};
  return real(column);
}

std::optional<std::string> Statement::maybe_text(int column) const {
  if (is_null(column)) return {};
  return text(column);
}

Value Statement::value(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER: return integer(column);
    case SQLITE_FLOAT: return real(column);
    case SQLITE_TEXT: return text(column);
    case SQLITE_BLOB: return Blob{text(column)};
    default: return {};
  }
}

int Statement::columns() const { return sqlite3_column_count(statement_); }
std::string Statement::column_name(int column) const { return sqlite3_column_name(statement_, column); }

}  // namespace diopter::store
