#include "store/sql_error.hpp"

#include <sqlite3.h>

#include <cerrno>

#include "base/files.hpp"

namespace diopter::store {

bool SqlError::busy() const noexcept {
  const int primary = code_ & 0xff;
  return primary == SQLITE_BUSY || primary == SQLITE_PROTOCOL || primary == SQLITE_LOCKED;
}

void throw_sql_error(int code, int system_error, const std::string& message, const std::filesystem::path& database) {
  const std::string name = database.string();
  const std::string reason = system_error != 0 ? base::errno_text(system_error) : message;
  const std::string salvage = "copy the folder first; then salvage what is readable with: sqlite3 -readonly " +
                              base::shell_quoted(name) + " .recover";
  if (code == SQLITE_IOERR_NOMEM) code = SQLITE_NOMEM;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_PROTOCOL:
    case SQLITE_LOCKED:
      throw SqlError(code, "the store " + name + " stayed busy for 30 s: another process holds it", {}, "store.busy");
    case SQLITE_FULL:
      throw SqlError(code, "cannot write the store " + name + ": No space left on device",
                     "free some space and repeat the command; nothing was half-written", "store.full");
    case SQLITE_NOMEM:
      throw SqlError(code, "cannot read or write the store " + name + ": there is not enough memory",
                     "free some memory and repeat the command; nothing was half-written", "store.memory");
    case SQLITE_READONLY:
      throw SqlError(code, "cannot write the store " + name + ": it is read-only", "--store DIR names another one",
                     "store.read_only");
    case SQLITE_NOTADB:
      throw SqlError(code, name + " is not a diopter store: it is not an SQLite database",
                     "--store DIR names another one", "store.not_ours");
    case SQLITE_CORRUPT:
      throw SqlError(code, "the store " + name + " is damaged: " + message, salvage, "store.damaged");
    case SQLITE_CANTOPEN: throw SqlError(code, "cannot open the store " + name + ": " + reason, {}, "store.open");
    case SQLITE_IOERR:
      if (system_error == ENOSPC || system_error == EDQUOT) {
        throw SqlError(code, "cannot write the store " + name + ": " + reason,
                       "free some space and repeat the command; nothing was half-written", "store.full");
      }
      throw SqlError(code, "cannot read or write the store " + name + ": " + reason, {}, "store.io");
    default: throw SqlError(code, "the store " + name + " refused a statement: " + message, {}, "store.sql");
  }
}

}  // namespace diopter::store
