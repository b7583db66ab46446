// A new, empty store.
#pragma once

#include <filesystem>

namespace diopter::store {

// Built as <file>.new and renamed: whoever sees <file> sees a complete store in WAL mode. The caller holds the lock.
void create_database(const std::filesystem::path& file, const char* vfs = nullptr);

}  // namespace diopter::store
