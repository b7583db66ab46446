// What SQLite says, as a sentence about the store. Every failure is exit 3 and keeps SQLite's code for retries.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.hpp"

namespace SQLite {
class Exception;
}

namespace diopter::store {

class SqlError : public base::UserError {
 public:
  SqlError(int extended_code, const std::string& what, std::string help, std::string id)
      : UserError(base::Exit::Store, what, std::move(help), std::move(id)), code_(extended_code) {}
  int code() const noexcept { return code_; }  // extended result code
  bool busy() const noexcept;                  // another process was in the way: the whole transaction may be repeated

 private:
  int code_;
};

// `system_error` is the errno behind an I/O error, 0 when unknown.
[[noreturn]] void throw_sql_error(int extended_code, int system_error, const std::string& message,
                                  const std::filesystem::path& database);

}  // namespace diopter::store
