// Is this a store of ours that we can read? Opening, creating and refusing, each with its sentence.
#pragma once

#include <filesystem>
#include <memory>

#include "store/connection.hpp"
#include "store/migrations.hpp"

namespace diopter::store {

struct StoreOptions {
  const char* vfs = nullptr;              // another SQLite VFS: tests inject faults
  SchemaPlan schema = released_schema();  // tests bring artificial versions
};

std::filesystem::path database_file(const std::filesystem::path& store);

// For writing. A missing store is created (complete or not at all: built beside and renamed), an older one migrated;
// both under the lock. UserError(Store): not ours, damaged, newer, read-only, network file system.
std::unique_ptr<Connection> open_for_writing(const std::filesystem::path& store, const StoreOptions& options = {});

// For reading. Never creates or changes anything; a newer store is read when its min_reader allows. On a read-only
// directory without a WAL the file is opened as immutable.
std::unique_ptr<Connection> open_for_reading(const std::filesystem::path& store, const StoreOptions& options = {});

}  // namespace diopter::store
