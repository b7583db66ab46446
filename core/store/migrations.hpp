// Old stores become new ones: a backup first, then all steps and the new version in one transaction.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "store/schema.hpp"

namespace diopter::store {

class Connection;

// Leads from schema version `from` to `from + 1`. Table rebuilds follow SQLite's documented procedure (foreign keys are
// off meanwhile and checked before the commit).
struct Migration {
  std::int64_t from = 0;
  std::string name;
  std::string sql;
};

struct SchemaPlan {
  std::int64_t version = kSchemaVersion;  // where to arrive
  std::vector<Migration> steps;           // in any order
};

// The released ones. Version 1 is the first, so there are none yet.
SchemaPlan released_schema();

// The caller holds the store's lock. Another process may have migrated meanwhile: the version is read again inside the
// transaction. The backup is <database>.v<N>.bak. UserError(Store) when a step is missing or fails: then nothing
// changed.
void migrate(Connection& db, const SchemaPlan& plan);

// An online backup: temporary name, fsync, rename, fsync directory. The caller holds the lock.
void backup_database(Connection& db, const std::filesystem::path& to);

}  // namespace diopter::store
