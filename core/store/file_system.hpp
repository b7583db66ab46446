// The live database is never on a network file system: SQLite's locks do not hold there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace diopter::store {

// "NFS", "Lustre", ...: what statfs().f_type says; nothing for a local one.
std::optional<std::string> network_file_system(std::uint64_t f_type);
// Of the directory, or of its nearest existing parent.
std::uint64_t file_system_type(const std::filesystem::path& directory);
// UserError(Store) that names the type and the remedy.
void require_local_file_system(const std::filesystem::path& directory, std::uint64_t f_type);

}  // namespace diopter::store
