// A store of an artificial version 0, and the way from there to version 1.
#pragma once

#include <string>

#include "store/write_session.hpp"

namespace diopter::testing {

// Version 0 lacks a table that version 1 has.
inline void make_version_zero(const std::filesystem::path& directory) {
  store::Store store(directory);
  store.transact([](store::Connection& db) {
    db.execute("DROP TABLE imported_segment");
    db.execute("DELETE FROM migration");
    db.execute("PRAGMA user_version = 0");
  });
}

inline store::SchemaPlan from_zero(const std::string& sql) {
  return {.version = 1, .steps = {{.from = 0, .name = "segments", .sql = sql}}};
}

inline constexpr const char* kToVersionOne =
    "CREATE TABLE imported_segment (writer_id TEXT NOT NULL, segment INTEGER NOT NULL, sha256 TEXT NOT NULL,"
    " records INTEGER NOT NULL, rejected INTEGER NOT NULL DEFAULT 0, imported_at_us INTEGER NOT NULL,"
    " PRIMARY KEY (writer_id, segment)) STRICT, WITHOUT ROWID";

}  // namespace diopter::testing
